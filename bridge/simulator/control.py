"""The control API under ``/sim/``: what tests, the demo and its phones page do to the pretend world.

JSON in and out. What is wrong with a body is said in one sentence (400); nothing is changed then.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.records import money
from bridge.simulator.settings import MASK, Account, Handler, Setting, Switches
from bridge.simulator.simulator import CannotAnswer, Simulator
from bridge.simulator.smsc.callbacks import masked_url

_HANDLERS = TypeAdapter(tuple[Handler, ...])
_Endpoint = Callable[[Request], Awaitable[Response]]


class _Said(Setting):
    """Body of a reply or call; *to* is the number it goes to, by default the newest message's sender."""

    text: str = ""
    to: str = ""


class Control:
    """The endpoints over one simulator."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._air = simulator.air

    def routes(self) -> list[Route]:
        """Paths without the ``/sim`` in front."""
        table: list[tuple[str, str, _Endpoint]] = [
            ("/messages", "GET", self.messages),
            ("/messages", "DELETE", self.forget_messages),
            ("/phones/{digits}/reply", "POST", self.reply),
            ("/phones/{digits}/call", "POST", self.call),
            ("/answers", "GET", self.answers),
            ("/faults", "GET", self.faults),
            ("/faults", "PUT", self.set_faults),
            ("/accounts", "GET", self.accounts),
            ("/accounts", "PUT", self.set_accounts),
            ("/switches", "GET", self.switches),
            ("/switches", "PUT", self.set_switches),
            ("/handlers", "GET", self.handlers),
            ("/handlers", "PUT", self.set_handlers),
            ("/requests", "GET", self.requests),
            ("/posts", "GET", self.posts),
            ("/mail", "GET", self.mail),
            ("/mail", "DELETE", self.forget_mail),
        ]
        return [Route(path, _guarded(endpoint), methods=[method]) for path, method, endpoint in table]

    async def messages(self, request: Request) -> Response:
        # A plus that nobody escaped arrives as a blank.
        phone = request.query_params.get("phone", "").strip()
        return JSONResponse([message.as_json() for message in self._simulator.messages(phone)])

    async def forget_messages(self, request: Request) -> Response:
        self._simulator.clear_messages()
        return Response(status_code=204)

    async def reply(self, request: Request) -> Response:
        said = _Said.model_validate(await _body(request))
        if not said.text:
            return _wrong('an answer needs a "text"')
        answer = self._simulator.reply(request.path_params["digits"], said.text, said.to)
        return JSONResponse(answer.as_json(), 201)

    async def call(self, request: Request) -> Response:
        said = _Said.model_validate(await _body(request))
        return JSONResponse(self._simulator.call(request.path_params["digits"], said.to).as_json(), 201)

    async def answers(self, request: Request) -> Response:
        return JSONResponse([answer.as_json() for answer in self._air.answers])

    async def faults(self, request: Request) -> Response:
        return JSONResponse(self._air.faults.as_json())

    async def set_faults(self, request: Request) -> Response:
        self._simulator.set_faults(_object(await _body(request)))
        return await self.faults(request)

    async def accounts(self, request: Request) -> Response:
        return JSONResponse({login: _shown(account) for login, account in self._air.accounts.items()})

    async def set_accounts(self, request: Request) -> Response:
        """By login, only the keys that are to change; a login not known yet needs a password."""
        changed = {login: self._changed(login, given) for login, given in _object(await _body(request)).items()}
        self._air.accounts.update(changed)
        return await self.accounts(request)

    def _changed(self, login: str, given: object) -> Account:
        known = self._air.accounts.get(login)
        old = known.model_dump() if known else {"login": login}
        new = {name: value for name, value in _object(given).items() if value != MASK}
        return Account.model_validate(old | new)

    async def switches(self, request: Request) -> Response:
        return JSONResponse(self._air.switches.model_dump(mode="json"))

    async def set_switches(self, request: Request) -> Response:
        """Only the keys that are to change, those of ``limits``, ``smsgate`` and ``smpp`` too."""
        given = _object(await _body(request))
        old = self._air.switches.model_dump()
        inner = {name: old[name] | _object(given[name]) for name in ("limits", "smsgate", "smpp") if name in given}
        self._air.switches = Switches.model_validate(old | given | inner)
        return await self.switches(request)

    async def handlers(self, request: Request) -> Response:
        shown = [handler.model_dump() | {"url": masked_url(handler.url)} for handler in self._air.handlers]
        return JSONResponse(shown)

    async def set_handlers(self, request: Request) -> Response:
        """One handler or a list; an empty list ends all posts."""
        given = await _body(request)
        self._air.handlers = _HANDLERS.validate_python(given if isinstance(given, list) else [given])
        return await self.handlers(request)

    async def requests(self, request: Request) -> Response:
        return JSONResponse([exchange.as_json() for exchange in self._air.exchanges])

    async def posts(self, request: Request) -> Response:
        return JSONResponse([posted.as_json() for posted in self._air.posted])

    async def mail(self, request: Request) -> Response:
        return JSONResponse([mail.as_json() for mail in self._simulator.mails()])

    async def forget_mail(self, request: Request) -> Response:
        self._simulator.clear_mails()
        return Response(status_code=204)


def _guarded(endpoint: _Endpoint) -> _Endpoint:
    """Answers what is wrong with a sentence, and other sites' scripts with nothing."""

    async def guarded(request: Request) -> Response:
        origin = request.headers.get("origin", "")
        if origin and origin.partition("://")[2] != request.headers.get("host"):
            return JSONResponse({"error": f"a page of {origin} may not control the simulator"}, 403)
        try:
            return await endpoint(request)
        except ValidationError as error:
            first = error.errors()[0]
            return _wrong(f"{'.'.join(map(str, first['loc'])) or 'body'}: {first['msg']}")
        except KeyError as error:
            return _wrong(f"there is no gateway {error}")
        except CannotAnswer as error:
            return JSONResponse({"error": str(error)}, 409)
        except ValueError as error:
            return _wrong(str(error))

    return guarded


async def _body(request: Request) -> object:
    """The JSON body, ``{}`` when there is none. ValueError says what is wrong with it."""
    raw = await request.body()
    return await request.json() if raw.strip() else {}


def _object(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        raise ValueError(f"a JSON object is wanted, not {value!r}")
    return {str(name): one for name, one in value.items()}


def _wrong(sentence: str) -> Response:
    return JSONResponse({"error": sentence}, 400)


def _shown(account: Account) -> dict[str, object]:
    shown: dict[str, object] = account.model_dump(mode="json")
    amounts = {"balance": money(account.balance), "credit": money(account.credit)}
    others = {name: MASK if shown[name] else "" for name in ("apikey", "smpp_password")}
    return shown | amounts | {"password": MASK} | others
