"""The machinery of all pages: who may see them, the frame around them, fragments of them, acts on them.

A page is a template over plain values, made from one read of the store. ``?part=main`` gives what lives of it
alone; the script puts that into the open page. An act is a POST with the form's token, answered 303.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from bridge.errors import StoreUnavailable
from bridge.store import views
from bridge.store.engine import Tx
from bridge.web import faults, guards
from bridge.web.assets import Assets
from bridge.web.foreign import finalized
from bridge.web.ports import Ports
from bridge.web.say import Say, best_language, say_in
from bridge.web.seen import Seen

T = TypeVar("T")
Page = Callable[[Request], Awaitable[Response]]
log = logging.getLogger(__name__)
_THEMES = ("light", "dark")
_YEAR = 365 * 24 * 3600
_FRAGMENT = {"X-Fragment": "1", "Vary": "Accept-Language, Cookie"}


class Console:
    """What every page needs; one for the whole process."""

    def __init__(self, ports: Ports, assets: Assets) -> None:
        self.ports = ports
        self._templates = _environment(assets)

    # who may

    def route(self, path: str, page: Page, *, method: str = "GET") -> Route:
        """*page* at *path*, behind the guards of the console."""
        return Route(path, self._guarded(page, act=method == "POST"), methods=[method])

    def _guarded(self, page: Page, *, act: bool) -> Page:
        async def guarded(request: Request) -> Response:
            refusal = self._refusal(request)
            if refusal is not None:
                return refusal
            if act and not await self._may_act(request):
                return await self.said(request, "error.form", status=403)
            try:
                return await page(request)
            except StoreUnavailable:
                v = self.seen(request)
                sentence = v.say("error.store", at=v.clock(v.now))
                return HTMLResponse(self.bare(v.say, sentence), 503, {"Retry-After": "5"})
            except HTTPException as error:
                if error.status_code != 404:
                    raise
                days = self.ports.book().config.keep.mail.days
                return await self.said(request, "error.gone", status=404, n=days)

        return guarded

    def _refusal(self, request: Request) -> Response | None:
        """A console without sign-in is for this machine alone; and only under a name that is ours."""
        if not self.ports.console_open:
            say = self._say(request)
            return HTMLResponse(self.bare(say, say("error.signin")), 403)
        if not guards.known_host(request, self.ports.hosts):
            return PlainTextResponse("This name does not belong to the console.\n", 421)
        return None

    async def _may_act(self, request: Request) -> bool:
        if not guards.same_origin(request):
            return False
        form = await request.form(max_fields=50, max_files=0)
        return guards.token_fits(guards.session_of(request), text_of(form, "csrf"))

    # the reader

    def seen(self, request: Request) -> Seen:
        """The reader of this request, before anything was read for him."""
        book = self.ports.book()
        theme = request.query_params.get("theme", request.cookies.get("theme", ""))
        return Seen(
            say=self._say(request),
            book=book,
            now=self.ports.now(),
            zone=ZoneInfo(book.config.timezone),
            theme=theme if theme in _THEMES else "",
            here=_here(request),
            query=dict(request.query_params),
            token=guards.token_for(self._session(request)),
            phones=self.ports.simulator is not None,
            faults=faults.summary(self.ports.simulator, self._say(request)),
        )

    def _say(self, request: Request) -> Say:
        wanted = request.query_params.get("lang", request.cookies.get("lang", ""))
        fallback = self.ports.book().config.language
        return say_in(best_language(wanted, request.headers.get("accept-language", ""), fallback))

    def _session(self, request: Request) -> str:
        """This browser's cookie, or the one that the answer will set."""
        session: str = guards.session_of(request) or getattr(request.state, "session", "")
        if not session:
            session = request.state.session = guards.new_session()
        return session

    # pages

    async def read(self, request: Request, operation: Callable[[Tx], T]) -> tuple[Seen, T]:
        """The reader with the frame's figures, and what *operation* reads, of one moment."""

        def all_of_it(tx: Tx) -> tuple[int, int, T]:
            return views.last_seq(tx), views.count_open(tx)[0], operation(tx)

        seq, count, found = await self.ports.store.read(all_of_it)
        seen = self.seen(request)
        return replace(seen, seq=seq, open=count), found

    def page(
        self,
        request: Request,
        v: Seen,
        body: str,
        *,
        title: str,
        here: str = "",
        scope: str = "",
        status: int = 200,
        **values: Any,
    ) -> Response:
        """The page, or its living part alone; *scope* names the changes that it wants to hear of."""
        part = request.query_params.get("part") == "main"
        context = {"v": v, "t": v.say, "title": title, "here": here, "scope": scope, "body": body, "hold": False}
        html = self._templates.get_template("part.j2" if part else "base.j2").render({**context, **values})
        if part:
            return _fragment(request, html, status)
        response = HTMLResponse(html, status)
        self._cookies(request, response)
        return response

    def bare(self, say: Say, sentence: str) -> str:
        """A page with one sentence and nothing else, for who may not see the frame."""
        return self._templates.get_template("refused.j2").render(language=say.language, sentence=sentence)

    async def said(self, request: Request, id: str, *, status: int, **values: object) -> Response:
        """A page with one sentence."""
        v = self.seen(request)
        return self.page(
            request, v, "said.j2", title=v.say(f"title.{status}"), status=status, sentence=v.say(id, **values)
        )

    async def failed(self, request: Request, error: Exception) -> Response:
        """The page of a mistake of ours: what was sent goes on, the log has the rest under the same reference."""
        reference = f"E-{secrets.token_hex(2)}"
        place = request.url.path.split("/")[1]  # no more of it: the path of a callback is a secret
        log.error("page failed: %s /%s", reference, place, exc_info=error)
        say = self._say(request)
        return HTMLResponse(self.bare(say, say("error.ours", ref=reference)), 500, dict(guards.HEADERS))

    def _cookies(self, request: Request, response: Response) -> None:
        made = getattr(request.state, "session", "")
        if made:
            guards.give_cookie(request, response, guards.cookie_name(request), made)
        for name in ("lang", "theme"):
            wanted = request.query_params.get(name)
            if wanted is not None and len(wanted) <= 5:
                guards.give_cookie(request, response, name, wanted, max_age=_YEAR)


def done(request: Request, to: str) -> Response:
    """After an act: 303 to *to*; 204 for the script, which looks again by itself."""
    if request.headers.get("x-quick") == "1":
        return Response(status_code=204)
    return RedirectResponse(to, 303)


def text_of(form: FormData, name: str) -> str:
    """A field of a form as text, "" when it is not there."""
    value = form.get(name)
    return value if isinstance(value, str) else ""


def back_to(form: FormData, fallback: str) -> str:
    """Where an act was begun: a path of ours and nothing else."""
    back = text_of(form, "back")
    parts = urlsplit(back)
    ours = back.startswith("/") and not back.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    return parts.path if ours else fallback


def _here(request: Request) -> str:
    query = "&".join(part for part in request.url.query.split("&") if part and not part.startswith(("part=", "done=")))
    return request.url.path + (f"?{query}" if query else "")


def _fragment(request: Request, html: str, status: int) -> Response:
    tag = f'"{hashlib.sha256(html.encode("utf-8", "replace")).hexdigest()[:24]}"'
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers={"ETag": tag})
    return HTMLResponse(html, status, {**_FRAGMENT, "ETag": tag})


def _environment(assets: Assets) -> Environment:
    environment = Environment(
        loader=PackageLoader("bridge.web"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=finalized,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["asset"] = assets.url
    macros = environment.get_template("macros.j2").make_module()
    environment.globals.update({name: value for name, value in _public(vars(macros)).items() if callable(value)})
    return environment


def _public(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if not name.startswith("_")}
