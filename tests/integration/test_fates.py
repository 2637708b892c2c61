"""Whatever happens in whatever order: every event has a fate, what waits is asked again, nobody is told twice."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings

from bridge.book import RuleBook
from bridge.model import Happening, Held, Incident, Plan, Reading, Started
from bridge.proof.world import World
from tests.integration.busy import NOW, PEOPLE, Move, busy_book, days, envelope_of

_REASONS = re.compile(
    r"""dropped\ \(.+\)|refused\ \(.+\)|no\ rule\ takes\ it|silenced\ by\ .+\ until\ \d\d:\d\d|hidden\ by\ .+\ \(.+\)
    |incident\ open\ since\ \d\d:\d\d(\ and\ repeated\ after\ \d\d:\d\d)?|acknowledged\ by\ .+|also\ seen\ by\ .+
    |flapping|\d+\ of\ \d+\ in\ \w+|in\ the\ digest\ at\ \d\d:\d\d|collecting\ until\ \d\d:\d\d:\d\d
    |quiet\ hours\ until\ \d\d:\d\d|storm\ and\ digest\ at\ \d\d:\d\d|over\ budget\ .+|resolved\ before\ it\ was\ sent
    |recovery\ of\ something\ nobody\ was\ told|recovery\ tells\ nobody|number\ not\ allowed\ \(.+\)
    |nobody\ on\ call\ in\ .+|stopped\ by\ .+|mail\ only|to\ nobody|loop|same\ mail\ as\ .+""",
    re.VERBOSE,
)  # FORMAT §13, and no other word
_LONG = timedelta(days=3)


class Watched(World):
    """A world that looks at every decision."""

    def _decide(self, happening: Happening) -> Plan:
        before = {key: held for bundle in self.memory.held.values() for key, held in _by_key(bundle).items()}
        incidents = dict(self.memory.incidents)
        plan = super()._decide(happening)
        if isinstance(happening, Reading):
            _every_event_has_a_fate(happening, plan)
        _what_waited_is_said_or_waits_on(plan, before, incidents)
        return plan


def _by_key(bundle: Mapping[str, Held]) -> dict[tuple[str, str], Held]:
    return {(held.bundle, held.member): held for held in bundle.values()}


def _every_event_has_a_fate(reading: Reading, plan: Plan) -> None:
    for n, routed in enumerate(reading.events):
        fates = [fate for fate in plan.fates if fate.event == n]
        assert fates, routed
        for fate in fates:
            known = fate.what != "nothing" or _REASONS.fullmatch(fate.reason)
            assert known, f"{fate.reason!r} is no reason of the format"
            assert fate.what != "sms" or any(message.id == fate.message_id for message in plan.messages), fate
    messages = {message.id for message in plan.messages}
    assert {note.message_id for note in plan.notifications if note.step != "mail"} <= messages


def _what_waited_is_said_or_waits_on(
    plan: Plan, before: Mapping[tuple[str, str], Held], incidents: Mapping[int, Incident]
) -> None:
    """What leaves a bundle is said, waits elsewhere, has a reason, or is about something that is over."""
    after = {incident.id: incident for incident in plan.incidents}
    for key in plan.released:
        held = before.get(key)
        if held is None:
            continue
        incident = after.get(held.incident_id) or incidents.get(held.incident_id)
        over = incident is not None and (not incident.live or incident.episode != held.episode)
        said = any(note.incident_id == held.incident_id for note in plan.notifications)
        said = said or (not held.incident_id and bool(plan.messages))
        waits = any(other.member == held.member for other in plan.held)
        why = any(entry.kind == "person.not_told" for entry in plan.journal)
        known = incident is not None and incident.sent_at is not None
        assert over or said or waits or why or known, held


def _all_that_waits_is_asked_again(world: World) -> None:
    for bundle, members in world.memory.held.items():
        if not members:
            continue
        hider = world.memory.incidents.get(int(bundle.partition("/")[2])) if bundle.startswith("hidden/") else None
        assert bundle in world.memory.timers or (hider is not None and hider.live), (bundle, members)


def _nobody_is_told_twice(world: World) -> None:
    told = Counter(
        (note.incident_id, note.episode, note.step, note.phone)
        for notes in world.memory.notifications.values()
        for note in notes
        if note.step != "mail"
    )
    assert [key for key, times in told.items() if times > 1] == []


def happen(world: World, move: Move) -> None:
    """One move of the day."""
    match move.kind:
        case "reply":
            world.reply(PEOPLE[move.words[0]], move.words[1])
        case "order":
            world.order("marat", move.words)
        case "receipt":
            message = world.newest_message(PEOPLE[move.words[0]])
            if message is not None:
                world.receipt(message, move.words[1])  # type: ignore[arg-type] - the words of a move are texts
        case "wait":
            world.advance(world.now + timedelta(minutes=move.minutes))
        case _:
            world.mail(envelope_of(move, world.now))


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], RuleBook]:
    """Gives the rule book; a failed example shows its arguments, and a rule book is long."""
    book = busy_book(tmp_path_factory.mktemp("busy"))
    return lambda: book


def _live_through(book: RuleBook, moves: list[Move]) -> None:
    world = Watched(book, NOW)
    world._decide(Started())
    for move in moves:
        happen(world, move)
        _all_that_waits_is_asked_again(world)
        _nobody_is_told_twice(world)
    world.advance(world.now + _LONG)
    _nobody_is_told_twice(world)
    left = [held for members in world.memory.held.values() for held in members.values()]
    assert left == []


@pytest.mark.no_cover
@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(moves=days)
def test_T40_no_event_is_without_a_fate_and_nobody_is_told_twice(
    office: Callable[[], RuleBook], moves: list[Move]
) -> None:
    _live_through(office(), moves)


@pytest.mark.proof
@settings(suppress_health_check=[HealthCheck.too_slow])
@given(moves=days)
def test_T40_no_event_is_without_a_fate_in_a_long_search(office: Callable[[], RuleBook], moves: list[Move]) -> None:
    _live_through(office(), moves)
