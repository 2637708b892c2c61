"""Every secret that a configuration names, with its place: the doctor looks whether they can be had (threats T30)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel

from bridge.config.secrets import Secret

if TYPE_CHECKING:
    from bridge.config.models import Config


def secrets_of(config: Config) -> list[tuple[str, Secret]]:
    """(``providers.smsc.password``, where it is found), in the order of the keys."""
    return list(_within(config, ""))


def _within(value: object, path: str) -> Iterator[tuple[str, Secret]]:
    match value:
        case Secret():
            yield path, value
        case BaseModel():
            for name, field in type(value).model_fields.items():
                yield from _within(getattr(value, name), _joined(path, field.alias or name))
        case Mapping():
            for name, inner in value.items():
                yield from _within(inner, _joined(path, str(name)))
        case tuple() | list():
            for number, inner in enumerate(value):
                yield from _within(inner, path if len(value) == 1 else f"{path}[{number}]")


def _joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
