"""``type: plain-http``: gateways that nobody wrote a line of Python for, described as an operator would.

What is described is a provider that the simulator has anyway, so that every one of its faults can be met.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import AccountPaused, NotSent, PermanentFailure
from bridge.providers.http import HttpClient
from bridge.providers.plain_http import PlainHttpGateway
from bridge.simulator.serve import running
from bridge.simulator.settings import Switches
from bridge.simulator.simulator import Simulator
from tests.contract.expected import (
    ACCEPTED,
    ARRIVES,
    EXPIRED,
    FOUND,
    HARMLESS,
    HELD,
    HELD_BEFORE,
    UNDELIVERED,
    UNREPORTED,
    each,
    over_http,
)
from tests.contract.kit import CLOCK, NUMBER, PASSWORD, WIDE, Door, Seen, World, account

LOGIN = {"login": "{login}", "psw": "{password}", "fmt": "3", "charset": "utf-8"}
STATES = {
    "-1": "accepted", "0": "accepted", "1": "delivered", "2": "read", "3": "expired", "4": "read", "20": "undelivered",
    "-2": "undelivered", "22": "undelivered", "23": "undelivered", "24": "undelivered", "25": "undelivered",
}  # fmt: skip


def described(port: int, **changes: Any) -> dict[str, Any]:
    """The provider as it stands in a configuration."""
    base = f"http://127.0.0.1:{port}"
    plain = {
        "answers": [
            {"place": "/error_code", "is": ["1", "5", "6", "7", "8"], "means": "refused"},
            {"place": "/error_code", "is": "2", "means": "password"},
            {"place": "/error_code", "is": "3", "means": "money"},
            {"place": "/error_code", "is": "4", "means": "blocked"},
            {"place": "/error_code", "is": "9", "means": "duplicate"},
        ],
        "code": "/error_code",
        "cost": "/cost",
        "segments": "/cnt",
        "repeats": "refused",
        "status": {
            "url": f"{base}/sys/status.php",
            "request": {**LOGIN, "phone": "{phone}", "id": "{id}", "all": "1"},
            "state": "/status",
            "states": STATES,
            "not_found": '"status": ?"?-3',
            "cost": "/cost",
        },
        "balance": {
            "url": f"{base}/sys/balance.php",
            "request": {**LOGIN, "cur": "1"},
            "amount": '"balance": ?"([0-9.]+)"',
            "currency": "/currency",
        },
        "inbound": {
            "url": f"{base}/sys/get.php",
            "request": {**LOGIN, "get_answers": "1", "hour": "24"},
            "id": "/id",
            "phone": "/phone",
            "text": "/message",
            "to": "/to_phone",
        },
    }
    return {
        "type": "plain-http",
        "base_url": f"{base}/sys/send.php",
        "login": "acme",
        "password": {"env": "PLAIN"},
        "number": f"+{NUMBER}",
        "parallel": 20,
        "request": {
            **LOGIN, "phones": "{phone}", "mes": "{text}", "sender": "{sender}", "id": "{id}", "cost": "2",
        },
        "success": '"id": ?"?(?P<id>[0-9]+)"?.*"cnt"',
        "failure": '"error": ?"(?P<code>[^"]*)"',
        "plain": {**plain, **changes},
    }  # fmt: skip


@asynccontextmanager
async def _open(name: str, changes: Mapping[str, Any]) -> AsyncIterator[World]:
    simulator = Simulator(accounts=(account(),), switches=Switches(limits=WIDE), now=CLOCK)
    async with running(simulator) as port, HttpClient(connect=1.0) as http:
        settings = Provider.model_validate(described(port, **changes))
        gateway = PlainHttpGateway("plain", settings, {"password": SecretText(PASSWORD)}, http)
        yield World(_BY_NAME[name], simulator, gateway)


_OTHERS = {2: AccountPaused, 3: AccountPaused, 4: AccountPaused, 9: NotSent}


def _door(name: str, *traits: str, expects: Mapping[str, Seen], variant: bool = False, **changes: Any) -> Door:
    opened: Callable[[], AbstractAsyncContextManager[World]] = partial(_open, name, changes)
    return Door(
        name=name,
        open=opened,
        refusals={code: (_OTHERS.get(code, PermanentFailure), str(code)) for code in range(1, 10)},
        traits=frozenset(traits),
        expects=expects,
        variant=variant,
    )


_UNASKED = each((*HARMLESS, *UNREPORTED, *EXPIRED, *UNDELIVERED), ACCEPTED)
_SENT_AGAIN = Seen("UNKNOWN", 0, "ACCEPTED", 1)
# a gateway of its own words: it says "stopped", and names a message by its own id, whatever else it says
_ASKED = {"fate=stopped": Seen("ACCEPTED", 1, "UNDELIVERED", 1), "answer=other id": ARRIVES}
_BY_NAME = {
    door.name: door
    for door in (
        _door("plain-http", "balance", "status", "inbound", expects={**over_http(status=FOUND), **_ASKED}),
        _door(
            "plain-http by GET", "status", expects={**over_http(status=FOUND), **_ASKED}, variant=True, method="get"
        ),
        _door(
            "plain-http that only sends",
            expects={**over_http(lost=HELD, never=_SENT_AGAIN, status=HELD), **_UNASKED},
            variant=True, status=None, balance=None, inbound=None,
        ),
        _door(
            "plain-http that only sends and pays every request",
            expects={**over_http(lost=HELD, never=HELD_BEFORE, status=HELD), **_UNASKED},
            variant=True, repeats="paid", status=None, balance=None, inbound=None,
        ),
        _door(
            "plain-http that pays every request",
            "status",
            expects={**over_http(never=HELD_BEFORE, status=FOUND), **_ASKED},
            variant=True, repeats="paid", balance=None, inbound=None,
        ),
    )
}  # fmt: skip
DOORS = tuple(_BY_NAME.values())
