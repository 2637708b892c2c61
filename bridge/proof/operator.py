"""A line of an operator in a rule test, as it is typed after ``smsbridge``: an act that is decided, or a look.

Acts are Orders, decided by the function of the product, which says what the operator reads. Looks at incidents are
answered from the memory of the test.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence

from bridge.model import Incident
from bridge.proof.items import incidents_like
from bridge.proof.mails import BadTest, NotBuilt
from bridge.proof.world import World

_BY = "operator"
_UNKNOWN = "there is no order"


def typed(world: World, line: str) -> tuple[str, ...]:
    """Do what *line* says now; the lines that the operator reads. Raises BadTest for a line that says nothing."""
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise BadTest(f'operator: "{line}": {error}') from error
    if words[:1] == ["smsbridge"]:
        raise BadTest("operator: write what stands after smsbridge")
    look = _LOOKS.get(tuple(words[:2]))
    return look(world, words[2:]) if look is not None else _acted(world, words)


def _acted(world: World, words: Sequence[str]) -> tuple[str, ...]:
    """An order; its incidents may be named by their codes, as people say them."""
    said = world.order(_BY, [*words[:2], *_numbered(world, words)]).said
    if said and said[0].startswith(_UNKNOWN):
        raise NotBuilt(f"operator {' '.join(words[:2])}")
    return said


def _numbered(world: World, words: Sequence[str]) -> Sequence[str]:
    if words[:1] != ["incidents"]:
        return words[2:]
    named = [(word, _named(world, word) if word.isdigit() else None) for word in words[2:]]
    return [str(incident.id) if incident else word for word, incident in named]


def _show(world: World, words: Sequence[str]) -> tuple[str, ...]:
    incident = _named(world, words[0]) if words else None
    if incident is None:
        raise BadTest(f"operator: there is no incident {' '.join(words)}")
    facts = (f"{incident.id} {incident.state} {incident.severity}", _about(incident), incident.key, incident.acked_by)
    told = (f"told {note.person or note.phone}" for note in world.memory.told(incident))
    return (*filter(None, facts), *told)


def _list(world: World, words: Sequence[str]) -> tuple[str, ...]:
    live = [one for one in world.memory.incidents.values() if one.live or words == ["--all"]]
    return tuple(f"{one.id} {one.state} {one.severity} {_about(one)} {one.acked_by}" for one in live)


def _named(world: World, word: str) -> Incident | None:
    """The incident with this number or code; of several with a code the newest."""
    numbered = [one for one in incidents_like(word, tuple(world.memory.incidents.values())) if word.isdigit()]
    talks = (talk for codes in world.memory.conversations.values() for talk in codes.values() if talk.code == word)
    coded = [number for talk in talks for number in talk.about]
    numbered += [world.memory.incidents[number] for number in coded if number in world.memory.incidents]
    return max(numbered, key=lambda one: (one.live, one.id), default=None)


def _about(incident: Incident) -> str:
    return " ".join(filter(None, (incident.host, incident.title)))


_LOOKS: dict[tuple[str, ...], Callable[[World, Sequence[str]], tuple[str, ...]]] = {
    ("incidents", "show"): _show,
    ("incidents", "list"): _list,
}
