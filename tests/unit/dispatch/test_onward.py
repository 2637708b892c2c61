"""``channels`` of a gateway that takes one way a request: what did not arrive by one way goes by the next."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.proof.world import World
from tests.unit.dispatch.stage import NOW, PEOPLE, Stage, build, phones, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - {rule: ladder, when: {recipient: ladder@bridge.test}, to: aigul, receipts: {not_reached_after: 10m},
     escalate: [{after: 30m, to: ivan}]}
  - {rule: viber, when: {recipient: viber@bridge.test}, to: aigul, channel: viber}
  - {rule: all, to: aigul}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    folder = tmp_path_factory.mktemp("office")
    build(folder, RULES)
    config = folder / "config.yaml"
    config.write_text(config.read_text().replace("prices: {", "channels: [viber, whatsapp, sms], prices: {"))
    return load_book(config).require()


@pytest.fixture
def stage(office: RuleBook) -> Stage:
    return Stage(World(office, NOW, receipts=False))


def sent(stage: Stage) -> list[tuple[int, str]]:
    """(way, state) of all messages to Aigul."""
    messages = (m for m in stage.world.memory.messages.values() if m.phone == PEOPLE["aigul"])
    return [(message.way, message.state) for message in sorted(messages, key=lambda message: message.id)]


@pytest.mark.parametrize("state", ["UNDELIVERED", "EXPIRED"])
def test_what_did_not_arrive_goes_by_the_next_way_until_the_last_and_then_somebody_hears(
    stage: Stage, state: str
) -> None:
    first = stage.mail()
    for way in (1, 2):
        again = stage.receipt("aigul", state)  # type: ignore[arg-type]
        assert phones(again) == phones(first)
        assert len(again) == 1, "nobody hears of a failure while it goes on"
        newest = stage.newest("aigul")
        assert (newest.way, newest.text) == (way, first[0].partition(" ")[2])
    assert stage.receipt("aigul", state) == ["mail operator@bridge.test@0 [smsbridge] not delivered to Aigul"]  # type: ignore[arg-type]
    assert [way for way, _ in sent(stage)] == [0, 1, 2]


def test_what_arrived_goes_no_further(stage: Stage) -> None:
    stage.mail()
    assert stage.receipt("aigul", "DELIVERED") == []
    assert stage.receipt("aigul", "UNDELIVERED") == []
    assert [way for way, _ in sent(stage)] == [0]


def test_each_way_is_paid_from_the_budgets(stage: Stage) -> None:
    stage.mail()
    stage.receipt("aigul", "UNDELIVERED")
    spends = stage.world.memory.spends["total"]
    assert [spend.message_id for spend in spends] == [1, 2]


def test_a_message_of_no_worth_any_more_goes_no_further(stage: Stage) -> None:
    stage.mail()
    stage.wait(hours=7)
    before = sent(stage)
    stage.receipt("aigul", "EXPIRED")
    assert len(sent(stage)) == len(before)


def test_a_rule_s_own_channel_has_no_other_way(stage: Stage) -> None:
    stage.mail(to="viber")
    stage.receipt("aigul", "UNDELIVERED")
    assert sent(stage) == [(0, "UNDELIVERED")]


def test_a_refusal_goes_by_the_next_way_until_all_have_refused(stage: Stage) -> None:
    stage.world.turn({"smsc": "refuses"})
    seen = stage.mail()
    assert [way for way, _ in sent(stage)] == [0, 1, 2]
    assert [one for one in seen if one.startswith("mail ")] == [
        "mail operator@bridge.test@0 [smsbridge] not delivered to Aigul"
    ]


def test_what_may_have_arrived_goes_no_other_way(stage: Stage) -> None:
    stage.world.turn({"smsc": "unknown"})
    stage.mail()
    stage.wait(minutes=30)
    assert sent(stage) == [(0, "HELD")]


def test_the_ladder_waits_for_the_ways_and_hears_of_the_last(stage: Stage) -> None:
    stage.mail(to="ladder")
    assert not any("ivan" in one for one in stage.receipt("aigul", "UNDELIVERED"))
    assert not any("ivan" in one for one in stage.receipt("aigul", "UNDELIVERED"))
    assert any(one.startswith("ivan@0") for one in stage.receipt("aigul", "UNDELIVERED"))


def test_the_ladder_is_content_when_the_next_way_arrives(stage: Stage) -> None:
    stage.mail(to="ladder")
    stage.receipt("aigul", "UNDELIVERED")
    stage.receipt("aigul", "DELIVERED")
    assert not any("ivan" in one for one in stage.wait(minutes=20))
    assert stage.now - NOW == timedelta(minutes=20)
