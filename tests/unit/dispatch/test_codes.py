"""Which number stands for what, on which phone, and for how long."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bridge.book import RuleBook
from bridge.dispatch import codes
from bridge.dispatch.draft import Draft
from bridge.memory import Memory
from bridge.model import Conversation, Incident, Notification, Thread
from tests.unit.dispatch.stage import PEOPLE, build

NOW = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
AIGUL, IVAN = PEOPLE["aigul"], PEOPLE["ivan"]
EXPIRE, QUARANTINE = timedelta(hours=48), timedelta(hours=24)
INCIDENT = Incident(
    id=1000, source="mon", key="w0", producer_key="", state="open", episode=1, producer="generic", host="w0",
    service="", severity="high", title="down", detail="", labels={}, problem_id="", count=1, opened_at=NOW,
    last_at=NOW, sent_at=None, rule="all", code="", origin="o", thread=Thread(1, "<a@b>", (), "down", ""),
)  # fmt: skip
RULES = "rules:\n  - {rule: all, to: both}\n"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    return build(tmp_path_factory.mktemp("codes"), RULES, "commands: {codes: 10-19}\n")


def draft(book: RuleBook, *talks: Conversation, now: datetime = NOW) -> Draft:
    memory = Memory(complete=True, counters={"incident": 2000, "message": 1, "mail": 1})
    for talk in talks:
        memory.conversations.setdefault(talk.phone, {})[talk.code] = talk
        for number in talk.about:
            told = Notification(number, 1, "0", talk.phone, "", 1)
            memory.notifications.setdefault(number, []).append(told)
    return Draft(book, memory, now)


def incident(number: int = 1000, code: str = "") -> Incident:
    return replace(INCIDENT, id=number, code=code)


def talk(phone: str, code: str, *incidents: int, together: str = "", age: timedelta = timedelta(0)) -> Conversation:
    expires = NOW - age + EXPIRE
    return Conversation(phone, code, incidents, expires, expires + QUARANTINE, together)


def test_the_lowest_code_that_is_free_for_all_who_are_told(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", 900), talk(IVAN, "11", 901))
    given = codes.for_one(made, incident(), AIGUL, (AIGUL, IVAN))
    assert given == talk(AIGUL, "12", 1000)


def test_a_code_of_its_own_where_no_code_is_free_for_all(book: RuleBook) -> None:
    others = [talk(IVAN, str(code), 900 + code) for code in range(11, 20)]
    given = codes.for_one(draft(book, talk(AIGUL, "10", 900), *others), incident(), AIGUL, (AIGUL, IVAN))
    assert given is not None
    assert given.code == "11"


def test_the_code_that_colleagues_say_aloud_is_kept_where_it_is_free(book: RuleBook) -> None:
    given = codes.for_one(draft(book), incident(code="17"), AIGUL)
    taken = codes.for_one(draft(book, talk(AIGUL, "17", 900)), incident(code="17"), AIGUL)
    assert [each.code for each in (given, taken) if each] == ["17", "10"]


def test_no_code_is_given_twice_when_all_are_in_use(book: RuleBook) -> None:
    made = draft(book, *(talk(AIGUL, str(code), 900 + code) for code in range(10, 20)))
    assert codes.for_one(made, incident(), AIGUL) is None
    assert codes.for_all(made, "group/r7", [incident()], AIGUL) is None
    assert codes.for_each(made, [incident()], AIGUL) == ()


@pytest.mark.parametrize("age, code", [(timedelta(hours=72, microseconds=-1), "11"), (timedelta(hours=72), "10")])
def test_T32_a_code_stands_for_something_else_after_expiry_and_quarantine_only(
    book: RuleBook, age: timedelta, code: str
) -> None:
    given = codes.for_one(draft(book, talk(AIGUL, "10", 900, age=age)), incident(), AIGUL)
    assert given is not None
    assert given.code == code


def test_a_conversation_that_is_spoken_of_again_lasts_longer(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", 1000, age=timedelta(hours=47)))
    assert codes.for_one(made, incident(), AIGUL) == talk(AIGUL, "10", 1000)


def test_an_expired_code_is_no_code_of_the_incident_any_more(book: RuleBook) -> None:
    given = codes.for_one(draft(book, talk(AIGUL, "10", 1000, age=EXPIRE)), incident(code="10"), AIGUL)
    assert given is not None
    assert given.code == "11"


def test_T32_an_sms_about_one_never_shows_a_code_that_stands_for_others_too(book: RuleBook) -> None:
    group, gathered = talk(AIGUL, "10", 1000, 1001, together="group/r7"), talk(AIGUL, "11", 1000, 1002)
    made = draft(book, group, gathered, talk(IVAN, "10", 1000, 1001, together="group/r7"))
    mine = codes.for_one(made, incident(code="10"), AIGUL, (AIGUL, IVAN))
    assert mine == talk(AIGUL, "12", 1000)
    made.converse(mine)
    assert codes.for_one(made, incident(code="10"), IVAN, (AIGUL, IVAN)) == talk(IVAN, "12", 1000)  # as aigul says it
    assert codes.code_of(made, AIGUL, [incident()]) == "12"
    assert codes.code_of(made, AIGUL, [incident(), incident(1001)]) == "10"
    assert codes.code_of(made, AIGUL, [incident(), incident(1003)]) == ""


def test_a_group_takes_up_what_comes_and_keeps_the_code_of_colleagues(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "12", 1000, together="group/r7", age=timedelta(hours=1)))
    mine = codes.for_all(made, "group/r7", [incident(1001), incident(1000)], AIGUL, (AIGUL, IVAN))
    theirs = codes.for_all(made, "group/r7", [incident(1001)], IVAN, (AIGUL, IVAN))
    other = codes.for_all(made, "group/r8", [incident(1002)], AIGUL)
    assert mine == talk(AIGUL, "12", 1000, 1001, together="group/r7")
    assert theirs == talk(IVAN, "12", 1001, together="group/r7")
    assert other == talk(AIGUL, "10", 1002, together="group/r8")


def test_who_ends_leaves_the_code_to_the_others_and_the_last_one_lets_it_rest(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", 1000, 1001, together="group/r7"))
    codes.ended(made, incident(1000))
    left = made.codes(AIGUL)["10"]
    assert (left.incidents, left.over, left.free_at) == ((1001,), (1000,), NOW + EXPIRE + QUARANTINE)
    assert codes.code_of_ended(made, AIGUL, [incident(1000)]) == ""
    codes.ended(made, incident(1001))
    rests = made.codes(AIGUL)["10"]
    assert (rests.incidents, rests.over) == ((), (1000, 1001))
    assert rests.free_at == rests.expires_at == NOW + QUARANTINE
    assert codes.code_of_ended(made, AIGUL, [incident(1000), incident(1001)]) == "10"


def test_the_end_never_makes_a_code_rest_longer(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", 1000, age=timedelta(hours=60)))
    codes.ended(made, incident())
    assert made.codes(AIGUL)["10"].free_at == NOW + timedelta(hours=12)


def test_a_group_that_comes_and_goes_remembers_only_the_last_that_ended(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", *range(1000, 1100), together="group/r7"))
    for number in range(1000, 1099):
        codes.ended(made, incident(number))
    assert made.codes(AIGUL)["10"].over == tuple(range(1079, 1099))


def test_what_was_said_without_a_code_is_named_one_by_one_and_the_rest_together(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", 900))
    given = codes.for_each(made, [incident(1000 + n) for n in range(7)], AIGUL)
    assert [(each.code, each.incidents) for each in given] == [
        ("11", (1000,)), ("12", (1001,)), ("13", (1002,)), ("14", (1003,)), ("15", (1004, 1005, 1006)),
    ]  # fmt: skip
    assert {each.together for each in given} == {""}


def test_a_storm_of_thousands_does_not_make_one_conversation_of_thousands(book: RuleBook) -> None:
    given = codes.for_each(draft(book), [incident(1000 + n) for n in range(3000)], AIGUL)
    assert sum(len(each.incidents) for each in given) == 205


def test_the_end_of_an_earlier_episode_is_found_by_who_was_told_then(book: RuleBook) -> None:
    made = draft(book, talk(AIGUL, "10", 1000))
    codes.ended(made, replace(incident(), episode=3))
    assert made.codes(AIGUL)["10"].incidents == ()
