"""``parallel`` holds over all doors of an account and over all nodes: what is under way is counted in the claim."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.delivery.choosing import Choosing, why_not
from bridge.delivery.gateways import Gateways
from bridge.delivery.sender import Sender
from bridge.dispatch.budgets import Limit
from bridge.providers.base import Accepted, Request
from bridge.store import attempts, outbox
from bridge.store.engine import Store

pytestmark = pytest.mark.anyio

_ONE_NODE = """
import asyncio, sys
from datetime import UTC, datetime
from pathlib import Path
from bridge.delivery.choosing import Choosing, why_not
from bridge.delivery.gateways import Gateways
from bridge.store import attempts, outbox
from bridge.store.engine import Store

class Door:
    name, account, revision, ids, parallel, doubt = "smsc", "smsc:acme", "r1", (1, 999), 3, "ask"
    def canonical(self, message, now): return {"phones": message.phone, "mes": message.text}

async def main(path, owner):
    store = Store(Path(path))
    await store.open()
    now = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
    doors = Gateways({"smsc": Door()}, lambda: now)
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(20):
        taken = await store.write(lambda tx: outbox.claim(tx, now, owner, 2, Choosing(doors, tx, now, owner)))
        print(len(taken), flush=True)
    store.close()

asyncio.run(main(*sys.argv[1:]))
"""


async def claim(store: Store, gateways: Gateways, clock: Any, owner: str) -> list[attempts.Claimed]:
    return await store.write(lambda tx: outbox.claim(tx, clock(), owner, 99, Choosing(gateways, tx, clock(), owner)))


@dataclass
class Counted:
    """What an account sees of all its nodes."""

    open: int = 0
    most: int = 0
    taken: list[str] = field(default_factory=list)

    async def submit(self, request: Request) -> Accepted:
        self.open += 1
        self.most = max(self.most, self.open)
        await asyncio.sleep(0.01)
        self.open -= 1
        self.taken.append(request.client_id)
        return Accepted(request.client_id, 1)


async def test_two_nodes_together_have_no_more_requests_open_than_the_account_allows(
    tmp_path: Path, store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    account, other = Counted(), Store(tmp_path / "bridge.db")
    await other.open()
    await put(*map(message, range(1, 31)))
    senders = [_sender(one, puppet, account, clock, owner) for one, owner in ((store, "n1/a"), (other, "n2/b"))]
    running = [asyncio.create_task(sender.run()) for sender in senders]
    async with asyncio.timeout(30):
        while len(account.taken) < 30:
            await asyncio.sleep(0.01)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    for sender in senders:
        await sender.finish(5)
    other.close()
    assert account.most == 3
    assert len(set(account.taken)) == 30


def _sender(store: Store, puppet: Any, account: Counted, clock: Any, owner: str) -> Sender:
    gateway = puppet(parallel=3)
    gateway.submit = account.submit
    gateways = Gateways({"smsc": gateway}, clock)
    return Sender(store, lambda: gateways, owner=owner, now=clock, decide_failed=lambda _tx, _failed: None)


async def test_two_processes_that_claim_at_once_share_the_places(store: Store, message: Any, put: Any) -> None:
    await put(*map(message, range(1, 31)))
    path = str((await store.read(lambda tx: tx.raw("PRAGMA database_list")))[0][2])
    nodes = [
        subprocess.Popen(
            [sys.executable, "-c", _ONE_NODE, path, owner], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        for owner in ("n1/a", "n2/b")
    ]
    for node in nodes:
        assert node.stdout is not None
        assert await asyncio.to_thread(node.stdout.readline) == "ready\n"
    for node in nodes:
        assert node.stdin is not None
        node.stdin.write("go\n")
        node.stdin.flush()
    said = [(await asyncio.to_thread(node.communicate))[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0]
    assert sum(int(line) for out in said for line in out.split()) == 3


async def test_the_http_and_the_mail_door_of_one_login_share_its_places_over_nodes(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    one = Gateways({"http": puppet("http"), "mail": puppet("mail")}, clock)
    other = Gateways({"http": puppet("http"), "mail": puppet("mail")}, clock)
    await put(*(message(n, providers=("http",)) for n in range(1, 3)))
    assert len(await claim(store, one, clock, "n1/a")) == 2
    await put(*(message(n, providers=("mail", "http")) for n in range(3, 9)))
    assert [each.attempt.provider for each in await claim(store, other, clock, "n2/b")] == ["mail"]


async def test_another_account_is_not_held_up_by_a_full_one(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    def doors() -> Gateways:
        return Gateways({"one": puppet("one", "smsc:one"), "two": puppet("two", "gate:two")}, clock)

    await put(*(message(n, providers=("one",)) for n in range(1, 5)))
    assert len(await claim(store, doors(), clock, "n1/a")) == 3
    await put(message(9, providers=("one", "two")))
    assert [each.attempt.provider for each in await claim(store, doors(), clock, "n2/b")] == ["two"]


@pytest.mark.parametrize("forward", [0, 91], ids=["answered", "its node died"])
async def test_a_place_elsewhere_is_free_after_the_answer_or_the_end_of_the_lease(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any, forward: float
) -> None:
    one, other = Gateways({"smsc": puppet(parallel=1)}, clock), Gateways({"smsc": puppet(parallel=1)}, clock)
    later = {"valid_until": clock() + timedelta(hours=1)}
    await put(message(1, **later), message(2, **later))
    (taken,) = await claim(store, one, clock, "n1/a")
    assert await claim(store, other, clock, "n2/b") == []
    if forward:
        clock.forward(forward)
    else:
        end = attempts.Outcome(taken.message.id, 1, "ACCEPTED", "ACCEPTED", provider_id="7", due_at=clock())
        await store.write(lambda tx: outbox.settle(tx, [end], clock()))
    assert [each.message.id for each in await claim(store, other, clock, "n2/b")] == [3 - taken.message.id]


async def test_a_repeat_waits_for_a_place_like_everything_else(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    one, other = Gateways({"smsc": puppet(parallel=1)}, clock), Gateways({"smsc": puppet(parallel=1)}, clock)
    await put(message(1))
    await claim(store, one, clock, "n1/a")
    assert other.take("smsc")
    assert await store.write(lambda tx: other.room("smsc", other.pace(tx, clock(), "n2/b"))) == -1
    assert await store.write(lambda tx: other.room("smsc", other.pace(tx, clock(), "n1/a"))) == 0


async def test_a_reload_forgets_no_request_that_is_open(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    await put(*map(message, range(1, 9)))
    old = Gateways({"smsc": puppet()}, clock)
    taken = await claim(store, old, clock, "n1/a")
    new = Gateways({"smsc": puppet(parallel=5), "mail": puppet("mail", parallel=5)}, clock, before=old)
    assert len(await claim(store, new, clock, "n1/a")) == 2
    old.give_back("smsc", taken[0].attempt.account)
    assert new.free() == 1


async def test_a_place_comes_back_though_its_door_has_another_name_now(clock: Any, puppet: Any) -> None:
    old = Gateways({"smsc": puppet(parallel=1)}, clock)
    assert old.take("smsc")
    new = Gateways({"http": puppet("http", parallel=1)}, clock, before=old)
    assert new.free() == 0
    new.give_back("smsc", "smsc:acme")
    assert new.free() == 1
    Gateways({}, clock, before=new).give_back("http", "smsc:acme")
    assert new.free() == 1


async def test_whoever_sends_beside_a_bridge_hears_which_limit_is_in_the_way(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    async def why(gateways: Gateways, number: int) -> str:
        return await store.read(lambda tx: why_not(gateways, tx, message(number), clock(), "send/1"))

    def doors(**rates: Limit) -> Gateways:
        return Gateways({"smsc": puppet(parallel=2)}, clock, rates)

    await put(*map(message, range(1, 3)))
    assert await why(doors(), 9) == ""
    assert len(await claim(store, doors(), clock, "n1/a")) == 2
    assert await why(doors(), 9) == "as many requests are open as the account allows"
    slow = doors(smsc=Limit("messages", Decimal(2), timedelta(seconds=10)))
    assert await why(slow, 9) == "its rate is used up until 2026-11-21 03:12:10 UTC"
    again = message(9, text=message(1).text)
    said = await store.read(lambda tx: why_not(doors(), tx, again, clock(), "send/1"))
    assert said == "the same text went to this phone less than a minute ago"
