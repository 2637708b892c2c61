"""Asking for fates: rarely, never for ever, and never of a gateway that is gone. The rest: integration tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from bridge.delivery.gateways import Gateways
from bridge.delivery.watcher import Watcher
from bridge.errors import AccountPaused, TemporaryFailure
from bridge.model import Spend
from bridge.providers.base import StatusAnswer
from bridge.store import outbox, rows, schema
from bridge.store.attempts import Outcome
from bridge.store.engine import Store
from bridge.store.statements import insert

pytestmark = pytest.mark.anyio


class Desk:
    def __init__(self, store: Store, gateways: Gateways, clock: Any) -> None:
        self.store = store
        self.clock = clock
        self.gateways = gateways
        self.happened: list[Any] = []
        self.again: list[Any] = []
        self.alarms: list[tuple[str, str]] = []
        self.doubled: list[str] = []
        self.watcher = Watcher(
            store, lambda: self.gateways, owner="n1/a", now=clock,
            decide=lambda _tx, happened: self.happened.extend(happened), submit=self.again.append,
            charge=lambda: lambda _provider, _phone, _segments, cost: cost and cost * 6,
            alarm=lambda kind, name, _why: self.alarms.append((kind, name)), doubled=self.doubled.append,
        )  # fmt: skip

    async def left(self, state: str, **changes: Any) -> None:
        """One message was handed over and is in *state*."""
        now = self.clock()
        await self.store.write(lambda tx: outbox.claim(tx, now, "n1/a", 9, self.gateways.choose))
        submission = "UNKNOWN" if state == "UNKNOWN" else "ACCEPTED"
        outcome = Outcome(1, 1, submission, state, due_at=now, **changes)  # type: ignore[arg-type]
        await self.store.write(lambda tx: outbox.settle(tx, [outcome], now))
        self.gateways.give_back("smsc")


@pytest.fixture
async def desk(store: Store, clock: Any, puppet: Any, message: Any, put: Any) -> Desk:
    await put(message())
    return Desk(store, Gateways({"smsc": puppet()}, clock), clock)


def puppet_of(desk: Desk) -> Any:
    return desk.gateways.doors["smsc"].gateway


async def test_F08_questions_become_rarer_and_end_after_the_validity(desk: Desk) -> None:
    gateway = puppet_of(desk)
    gateway.answers = [StatusAnswer("ACCEPTED", "0")] * 1000
    await desk.left("ACCEPTED")
    hours = []
    for _ in range(4):
        before = len(gateway.asked)
        for _ in range(360):
            await desk.watcher.round()
            desk.clock.forward(10)
        hours.append(len(gateway.asked) - before)
    assert hours[0] > hours[1] > 0
    assert hours[2:] == [0, 0]  # valid for one hour, asked for one more
    assert desk.happened == []


async def test_a_refused_question_moves_nothing_and_comes_again(desk: Desk) -> None:
    gateway = puppet_of(desk)
    gateway.answers = [TemporaryFailure("error 9"), StatusAnswer("DELIVERED", "1")]
    await desk.left("ACCEPTED")
    await desk.watcher.round()
    assert desk.happened == []
    desk.clock.forward(601)
    await desk.watcher.round()
    assert [(one.state, one.message_id) for one in desk.happened] == [("DELIVERED", 1)]


async def test_F24_a_question_that_finds_the_account_blocked_pauses_it(desk: Desk) -> None:
    puppet_of(desk).answers = [AccountPaused("blocked", cause="blocked")]
    await desk.left("ACCEPTED")
    await desk.watcher.round()
    assert desk.gateways.accounts["smsc:acme"].cause == "blocked"
    assert desk.alarms == [("account.blocked", "smsc")]


async def test_F24_a_question_about_a_lost_answer_that_finds_it_blocked_is_told_once(desk: Desk) -> None:
    puppet_of(desk).answers = [AccountPaused("blocked", cause="blocked")] * 9
    await desk.left("UNKNOWN")
    for _ in range(4):
        desk.clock.forward(20)
        await desk.watcher.round()
    assert desk.alarms == [("account.blocked", "smsc")]


async def test_a_message_of_unknown_fate_whose_gateway_is_gone_waits_for_its_deadline(desk: Desk) -> None:
    await desk.left("UNKNOWN")
    gateway = puppet_of(desk)
    desk.gateways = Gateways({}, desk.clock)
    for _ in range(5):
        await desk.watcher.round()
        desk.clock.forward(60)
    assert gateway.asked == []
    assert desk.happened == []
    desk.clock.forward(900)
    await desk.watcher.round()
    assert [type(one).__name__ for one in desk.happened] == ["Failed"]
    assert await desk.store.read(lambda tx: tx.raw("SELECT state FROM messages")) == [("HELD",)]


async def test_T05_another_revision_of_the_gateway_is_asked_and_never_sent_to(desk: Desk) -> None:
    await desk.left("UNKNOWN")
    gateway = puppet_of(desk)
    gateway.revision, gateway.answers = "r2", [StatusAnswer(None, "-3")] * 100
    for _ in range(30):
        desk.clock.forward(20)
        await desk.watcher.round()
    assert gateway.asked
    assert desk.again == []


async def test_a_resend_waits_for_a_place(desk: Desk) -> None:
    await desk.left("UNKNOWN")
    gateway = puppet_of(desk)
    gateway.answers = [StatusAnswer(None, "-3")] * 9
    for _ in range(3):
        desk.gateways.take("smsc")
    for _ in range(5):
        desk.clock.forward(3)
        await desk.watcher.round()
    assert desk.again == []
    desk.gateways.give_back("smsc")
    desk.clock.forward(1)
    await desk.watcher.round()
    assert len(desk.again) == 1


async def test_F13_a_repeat_that_nothing_refuses_counts_as_a_possible_double(desk: Desk) -> None:
    await desk.left("UNKNOWN")
    puppet_of(desk).answers = [StatusAnswer(None, "-3")] * 99
    while not desk.again:
        desk.clock.forward(2)
        await desk.watcher.round()
    assert desk.doubled == []  # an early one: the minute rule guards it
    desk.clock.forward(60)
    now = desk.clock()
    lost = Outcome(1, 2, "UNKNOWN", "UNKNOWN", due_at=now)
    await desk.store.write(lambda tx: outbox.settle(tx, [lost], now))
    desk.gateways.give_back("smsc")
    for _ in range(60):
        desk.clock.forward(2)
        await desk.watcher.round()
    assert len(desk.again) == 2
    assert desk.doubled == ["smsc"]
    said = await desk.store.read(lambda tx: tx.raw("SELECT data FROM journal WHERE kind = 'attempt.repeated'"))
    assert ["true" in row[0] for row in said] == [False, True]


async def test_F13_a_second_copy_counts_as_a_possible_double(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    await put(message(message_class="critical", providers=("smsc", "gate")))
    asked = puppet(answers=[StatusAnswer(None, "-3")])
    desk = Desk(store, Gateways({"smsc": asked, "gate": puppet("gate", "gate:one")}, clock), clock)
    await desk.left("UNKNOWN")
    clock.forward(121)
    await desk.watcher.round()
    assert desk.doubled == [], "it is asked first"
    await desk.watcher.round()
    assert desk.doubled == ["smsc"]


@pytest.mark.parametrize("message_class", ["critical", "normal"])
async def test_an_answer_that_came_late_is_fetched_and_no_copy_goes(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any, message_class: Any
) -> None:
    class Late(puppet):  # type: ignore[misc]
        late = ""

        def answered_late(self, client_id: str) -> bool:
            return bool(client_id) and client_id == self.late

    door = Late(doubt="history")
    await put(message(message_class=message_class, providers=("smsc", "gate")))
    desk = Desk(store, Gateways({"smsc": door, "gate": puppet("gate", "gate:one")}, clock), clock)
    await desk.left("UNKNOWN")
    ((client_id,),) = await store.read(lambda tx: tx.raw("SELECT client_id FROM submissions"))
    door.late, door.revision = client_id, "r1"
    clock.forward(10_000)
    await desk.watcher.round()
    assert [(one.attempt.client_id, one.attempt.number) for one in desk.again] == [(client_id, 2)]
    assert (desk.happened, desk.doubled) == ([], [])


async def test_the_evidence_is_kept(desk: Desk) -> None:
    await desk.left("UNKNOWN")
    puppet_of(desk).answers = [TemporaryFailure("no answer in time")]
    desk.clock.forward(3)
    await desk.watcher.round()
    ((evidence,),) = await desk.store.read(lambda tx: tx.raw("SELECT evidence FROM submissions"))
    assert "no answer in time" in evidence


async def reserved(desk: Desk) -> None:
    spend = rows.spend_row(Spend("total", desk.clock(), 1, 1, Decimal(14), critical=False))
    await desk.store.write(lambda tx: tx.many(insert(schema.spends), [spend]))


async def spent(desk: Desk) -> list[tuple[Any, ...]]:
    return await desk.store.read(lambda tx: tx.raw("SELECT money / 10000.0 FROM spends WHERE message_id = 1"))


@pytest.mark.parametrize("state", ["ACCEPTED", "DELIVERED"])
async def test_a_poll_that_says_the_cost_settles_it(desk: Desk, state: Any) -> None:
    await reserved(desk)
    puppet_of(desk).answers = [StatusAnswer(state, "0", cost=Decimal("3.5"))]
    await desk.left("ACCEPTED")
    await desk.watcher.round()
    assert await spent(desk) == [(21.0,)]
    assert await desk.store.read(lambda tx: tx.raw("SELECT cost FROM messages")) == [("3.5",)]


async def test_what_was_found_after_a_lost_answer_is_paid_for_as_its_provider_says(desk: Desk) -> None:
    await reserved(desk)
    await desk.left("UNKNOWN")
    puppet_of(desk).answers = [StatusAnswer("ACCEPTED", "0", cost=Decimal("2.5"))] * 9
    for _ in range(2):
        desk.clock.forward(3)
        await desk.watcher.round()
    assert await desk.store.read(lambda tx: tx.raw("SELECT state, cost FROM messages")) == [("ACCEPTED", "2.5")]
    assert await spent(desk) == [(15.0,)]


async def test_T04_what_has_no_provable_fate_stays_spent(desk: Desk) -> None:
    await reserved(desk)
    await desk.left("UNKNOWN")
    puppet_of(desk).answers = [TemporaryFailure("no answer in time")] * 99
    desk.clock.forward(1000)
    for _ in range(2):
        await desk.watcher.round()
    assert await desk.store.read(lambda tx: tx.raw("SELECT state FROM messages")) == [("HELD",)]
    assert await spent(desk) == [(14.0,)]


async def test_a_second_copy_goes_by_another_account_rather_than_by_another_door_of_the_same(
    store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    asked = puppet(answers=[TemporaryFailure("no answer in time")])
    doors = {"smsc": asked, "mail": puppet("mail"), "gate": puppet("gate", "gate:one")}
    await put(message(message_class="critical", providers=("smsc", "mail", "gate")))
    desk = Desk(store, Gateways(doors, clock), clock)
    await desk.left("UNKNOWN")
    clock.forward(121)
    for _ in range(2):
        await desk.watcher.round()
    (failed,) = desk.happened
    assert (failed.copy_via, failed.provider) == (("gate", "mail"), "smsc")


@pytest.mark.parametrize("chain", [("smsc", "mail"), ("smsc", "mail", "gate")])
async def test_F24_a_message_that_is_sent_once_the_account_is_paid_is_not_given_to_that_account_again(
    chain: tuple[str, ...], store: Store, clock: Any, puppet: Any, message: Any, put: Any
) -> None:
    doors = {"smsc": puppet(doubt="repeat"), "mail": puppet("mail", doubt="repeat"), "gate": puppet("gate", "gate:one")}
    await put(message(message_class="critical", providers=chain))
    desk = Desk(store, Gateways(doors, clock), clock)
    await desk.left("UNKNOWN", code="will be sent once paid", reason="the provider sends it once it is paid")
    clock.forward(121)
    await desk.watcher.round()
    (failed,) = desk.happened
    assert failed.copy_via == (("gate",) if "gate" in chain else ())
    state = await store.read(lambda tx: tx.raw("SELECT state FROM messages"))
    assert state == [("UNKNOWN",) if "gate" in chain else ("HELD",)]
