"""The mails of a store, decided again: what differs, and that nothing is touched."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bridge.errors import BridgeError
from bridge.proof.backtest import Outcome, Task, Totals, backtest, decided, decided_beside
from bridge.proof.remembered import count_since, instance_of, mails_since
from bridge.store import mails
from bridge.store.engine import Store
from tests.unit.proof.office import CONFIG, RULES, Office, build
from tests.unit.proof.test_explain import envelope

NOW = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)


def keep(path: Path, *arrivals: tuple[int, str, str]) -> None:
    """Mails in a store: (minutes after NOW, subject, recipient)."""

    async def work() -> None:
        store = Store(path)
        await store.open()
        try:
            for n, (minutes, subject, recipient) in enumerate(arrivals):
                content = f"From: nas7@mon.test\nSubject: {subject}\nMessage-ID: <{n}@mon.test>\n\nhello\n".encode()
                mail = replace(envelope(content, recipient), received_at=NOW + timedelta(minutes=minutes))
                await store.write(lambda tx, mail=mail: mails.keep(tx, mail, "test/1"))  # type: ignore[misc]
        finally:
            store.close()

    asyncio.run(work())


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return build(tmp_path, CONFIG, RULES)


def compared(office: Office, others: str, *arrivals: tuple[int, str, str], limit: int = 50) -> Outcome:
    path = office.folder / "bridge.db"
    keep(path, *arrivals)
    before = path.read_bytes()
    streams = [decided(task) for task in tasks(office, others)]
    outcome = backtest(*streams, limit=limit)
    assert path.read_bytes() == before
    return outcome


def tasks(office: Office, others: str) -> list[Task]:
    folder = office.folder / "others"
    folder.mkdir(exist_ok=True)
    (folder / "10.yaml").write_text(others)
    path = office.folder / "bridge.db"
    own = instance_of(path, NOW)
    return [Task(path, NOW - HOUR, NOW + 48 * HOUR, office.config, rules, own) for rules in (None, folder)]


MAILS = (
    (0, "disk full", "team@bridge.test"),
    (5, "paper low", "team@bridge.test"),
    (10, "tape", "duty@bridge.test"),
    (15, "noise", "drop@bridge.test"),
)


def test_the_same_rules_change_nothing(office: Office) -> None:
    outcome = compared(office, RULES, *MAILS)
    assert (outcome.mails, outcome.changed, outcome.lost, outcome.changes) == (4, 0, 0, [])
    assert outcome.before == outcome.after
    assert {name: sums.messages for name, sums in outcome.before.people.items()} == {"aigul": 3, "ivan": 2}
    assert outcome.before.everyone.price == {"KZT": Decimal("70.00")}


def test_what_differs_is_named_by_what_people_notice(office: Office) -> None:
    others = """
rules:
  - {rule: duty, when: {recipient: duty@bridge.test}, drop: nobody cares}
  - {rule: drop it, when: {recipient: drop@bridge.test}, drop: not today}
  - {rule: disks, when: {subject: disk}, to: aigul, text: "{{ host }} {{ title }} {{ code }}"}
  - {rule: team, to: both, text: "{{ title }} is long!"}
"""
    outcome = compared(office, others, *MAILS)
    found = {(change.subject, change.kinds, change.lost) for change in outcome.changes}
    assert found == {
        ("disk full", ("people", "text", "price"), False),
        ("paper low", ("text",), False),
        ("tape", ("people", "text", "price", "fate"), True),
    }
    assert (outcome.changed, outcome.lost) == (3, 1)
    assert outcome.kinds == {"people": 2, "text": 3, "price": 2, "fate": 1}
    assert outcome.changes[-1].after.reasons == ("dropped (nobody cares)",)
    assert (outcome.before.everyone.messages, outcome.after.everyone.messages) == (5, 3)


def test_a_code_that_moved_is_no_change(office: Office) -> None:
    """The first mail opens no incident any more: every later code is another one."""
    others = "rules:\n  - {rule: first, when: {subject: first}, drop: x}\n" + RULES.removeprefix("\nrules:\n")
    outcome = compared(office, others, (0, "disk first", "team@bridge.test"), (5, "disk two", "team@bridge.test"))
    assert [change.subject for change in outcome.changes] == ["disk first"]
    assert "##" in outcome.changes[0].before.texts[0]


def test_what_is_lost_is_kept_before_what_only_changes(office: Office) -> None:
    others = """
rules:
  - {rule: gone, when: {recipient: duty@bridge.test}, drop: x}
  - {rule: team, to: both, text: "{{ title }}!"}
"""
    changes = compared(office, others, *MAILS, limit=1).changes
    assert [(change.subject, change.lost) for change in changes] == [("tape", True)]


def test_nothing_is_kept_where_nothing_is_to_be_shown(office: Office) -> None:
    outcome = compared(office, "rules: [{rule: all, drop: x}]", *MAILS, limit=0)
    assert (outcome.changed, outcome.lost, outcome.changes) == (4, 3, [])


def test_what_came_later_is_summed_up_too(office: Office) -> None:
    """The repeat of an hour later is one more SMS, whoever caused it."""
    again = (61, "disk full", "team@bridge.test")
    outcome = compared(
        office, RULES.replace("to: both,\n     text", "to: both, repeat: never,\n     text"), MAILS[0], again
    )
    assert (outcome.before.everyone.messages, outcome.after.everyone.messages) == (4, 2)
    assert [change.kinds for change in outcome.changes] == [("people", "text", "price", "fate")]


def test_other_processes_decide_the_same(office: Office) -> None:
    here = compared(office, "rules: [{rule: all, to: aigul}]", *MAILS)
    one, other = tasks(office, "rules: [{rule: all, to: aigul}]")
    with decided_beside(one) as before, decided_beside(other) as after:
        there = backtest(before, after)
    assert there == here


def test_an_error_of_another_process_is_raised_here(office: Office) -> None:
    keep(office.folder / "bridge.db", *MAILS)
    one, _other = tasks(office, "rules: []")
    (office.folder / "rules" / "10-all.yaml").write_text("rules: [{rule: x, to: stranger}]")
    with decided_beside(one) as stream, pytest.raises(BridgeError, match="stranger"):
        list(stream)


def test_a_process_that_is_not_heard_to_its_end_does_not_stay(office: Office) -> None:
    import multiprocessing

    keep(office.folder / "bridge.db", *MAILS)
    with decided_beside(tasks(office, "rules: []")[0]) as stream:
        assert next(stream)
    assert multiprocessing.active_children() == []


def test_a_mail_that_only_one_side_has_seen_is_passed_over(office: Office) -> None:
    keep(office.folder / "bridge.db", *MAILS)

    def without(number: int) -> Iterator[object]:
        for chunk in decided(tasks(office, RULES)[0]):
            yield chunk if isinstance(chunk, Totals) else [one for one in chunk if one.mail != number]

    outcome = backtest(without(2), without(3))  # type: ignore[arg-type]
    assert (outcome.mails, outcome.changed) == (2, 0)
    assert outcome.before.everyone.messages == 5


def test_mails_come_in_their_order_and_only_those_of_the_span(office: Office) -> None:
    path = office.folder / "bridge.db"
    keep(path, *((minutes, f"n {minutes}", "team@bridge.test") for minutes in range(0, 70, 10)))
    chunks = list(mails_since(path, NOW + timedelta(minutes=20), NOW + timedelta(minutes=50), 3))
    assert [[mail.id for mail in chunk] for chunk in chunks] == [[3, 4, 5], [6]]
    assert count_since(path, NOW + timedelta(minutes=20), NOW + timedelta(minutes=50)) == 4
