"""Static files under names that hold their hash: a browser keeps them for ever and never shows an old one.

Read once at the start; nothing is read from the disk for a request, so no path can lead anywhere else.
"""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from importlib.resources import files

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
_FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it goes out."""

    name: str  # console.3fa2c1d04e6b.css
    kind: str
    body: bytes
    packed: bytes


class Assets:
    """All static files by their own name and by their hashed one."""

    def __init__(self) -> None:
        found = (_asset(path.name, path.read_bytes()) for path in files("bridge.web").joinpath("static").iterdir()
                 if _suffix(path.name) in _TYPES)  # fmt: skip
        self._assets = {asset.name: asset for asset in found}
        self._names = {_plain(name): name for name in self._assets}

    def url(self, name: str) -> str:
        """Where ``console.css`` is; KeyError for a file we do not have."""
        return f"/static/{self._names[name]}"

    async def __call__(self, request: Request) -> Response:
        asset = self._assets.get(request.path_params["name"])
        if asset is None:
            raise HTTPException(404)
        headers = {"Cache-Control": _FOR_EVER, "Vary": "Accept-Encoding"}
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(asset.packed, media_type=asset.kind, headers=headers | {"Content-Encoding": "gzip"})
        return Response(asset.body, media_type=asset.kind, headers=headers)


def _asset(name: str, body: bytes) -> Asset:
    stem, suffix = name.removesuffix(_suffix(name)), _suffix(name)
    digest = hashlib.sha256(body).hexdigest()[:12]
    return Asset(f"{stem}.{digest}{suffix}", _TYPES[suffix], body, gzip.compress(body, 9, mtime=0))


def _suffix(name: str) -> str:
    return "." + name.rpartition(".")[2]


def _plain(name: str) -> str:
    stem, _, suffix = name.rpartition(".")
    return f"{stem.rpartition('.')[0]}.{suffix}"
