"""The place for a number to ring: who is offered one, what stands in it, what stands there without."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from bridge.dispatch import ringing
from bridge.model import CallSlot, Message
from bridge.proof.world import World
from tests.unit.dispatch.callers import ringing_stage
from tests.unit.dispatch.stage import NOW, PEOPLE, Stage


@pytest.fixture(scope="module")
def stages(tmp_path_factory: pytest.TempPathFactory) -> Stage:
    return ringing_stage(tmp_path_factory.mktemp("ringing") / "office")


def planned(stage: Stage, to: str, subject: str = "disk full") -> dict[str, Message]:
    """What is planned for whom, before anything left."""
    here = Stage(World(stage.world.book, NOW))
    here.world.gateways.moods["smsc"] = "down"
    here.mail(subject, to)
    return {message.person: message for message in here.world.memory.messages.values()}


def test_the_number_is_counted_as_twelve_characters_when_planned(stages: Stage) -> None:
    message = planned(stages, "own")["aigul"]
    assert message.text == "disk full. 10 ok or ring +00000000000"
    assert message.call == CallSlot("disk full. 10 ok or ring ", "", "disk full. 10")


def test_who_may_not_answer_by_a_call_is_not_asked_to(stages: Stage) -> None:
    found = planned(stages, "own")
    assert (found["ivan"].text, found["ivan"].call) == ("disk full. 10", None)
    assert found["marat"].call is not None
    assert (planned(stages, "sms")["aigul"].text, planned(stages, "sms")["aigul"].call) == ("disk full.", None)
    assert planned(stages, "voice")["aigul"].call is None


def test_a_rule_without_words_of_its_own_says_how_to_ring(stages: Stage) -> None:
    found = planned(stages, "one")
    assert found["aigul"].text == "10 INFO mon: disk full. Reply 10 ok or ring +00000000000"
    assert found["ivan"].text.startswith("10 ")
    assert "ring" not in found["ivan"].text
    slot = found["aigul"].call
    assert slot is not None
    assert slot.without == found["ivan"].text


def test_T12_a_text_that_holds_the_twelve_characters_itself_keeps_them(stages: Stage) -> None:
    message = planned(stages, "own", "x +00000000000 y")["aigul"]
    filled = ringing.with_number(message, "+77770000001", NOW)
    assert filled.text == "x +00000000000 y. 10 ok or ring +77770000001"


def message(slot: CallSlot | None, **changes: object) -> Message:
    made = Message(
        id=1, phone=PEOPLE["aigul"], person="aigul", text="as planned", encoding="GSM-7", segments=2,
        price=Decimal(28), currency="KZT", rule="r", message_class="normal", channel="sms", providers=("smsc",),
        originator="", answerable=True, created_at=NOW, due_at=NOW, valid_until=NOW, language="en", call=slot,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


SLOT = CallSlot("ring ", " now", "x" * 10)


def test_what_was_sent_is_what_is_kept() -> None:
    filled = ringing.with_number(message(SLOT), "+77770000001", NOW)
    assert (filled.text, filled.segments, filled.price) == ("ring +77770000001 now", 2, Decimal(28))
    assert filled.call == replace(SLOT, given_at=NOW)


def test_without_a_number_the_sentence_goes_and_its_segments_with_it() -> None:
    bare = ringing.with_number(message(SLOT), "", NOW)
    assert (bare.text, bare.segments, bare.price, bare.call) == ("x" * 10, 1, Decimal(14), None)


def test_T04_a_longer_number_never_makes_the_message_dearer() -> None:
    slot = CallSlot("x" * 148, "", "short")
    assert ringing.with_number(message(slot, segments=1), "+77770000001", NOW).text.endswith("+77770000001")
    assert ringing.with_number(message(slot, segments=1), "+7777000000123", NOW).text == "short"


def test_a_number_is_wanted_before_the_first_hand_over_and_when_it_has_grown_old() -> None:
    given = replace(SLOT, given_at=NOW)
    assert ringing.wants_number(message(SLOT), NOW)
    assert not ringing.wants_number(message(given), NOW + timedelta(minutes=4, seconds=59))
    assert ringing.wants_number(message(given), NOW + timedelta(minutes=5))
    assert not ringing.wants_number(message(None), NOW)


@pytest.mark.parametrize("number", ["+77770000001", "77770000001", "8 777 000 00 01"])
def test_one_number_is_known_however_it_is_written(number: str) -> None:
    assert ringing.tally_of("+77010000001", number) == "ring/+77010000001/770000001"


@pytest.mark.parametrize("number", ["", "1", "waitcall", "12 34"])
def test_what_cannot_be_rung_names_no_number(number: str) -> None:
    assert ringing.tally_of("+77010000001", number) == "ring/+77010000001"


def test_that_a_number_was_given_is_known_for_an_hour() -> None:
    now = datetime(2026, 11, 21, tzinfo=UTC)
    one, other = ringing.given("+77010000001", "+77770000001", now)
    assert {one.until, other.until} == {now + timedelta(hours=1)}
    assert (one.name, other.name) == ("ring/+77010000001", "ring/+77010000001/770000001")
