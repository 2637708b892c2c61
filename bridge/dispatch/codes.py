"""The small numbers people answer with: one length, the lowest free one, the same for colleagues if it can be.

A conversation (phone, code) stands for what one SMS told. Where that was one incident, for this one and no other, also
when it was told before among several. Where it was a bundle and its text shows the code, for all of it: who answers has
read one code, so it can mean nothing else; the next SMS of the same bundle keeps the code while any of it goes on. A
bundle in our own words shows no code ("Reply list"): it holds what has nothing to do with each other, so each gets a
code of its own for the list to name. Many of them would use up the codes of a phone: then the rest shares one that an
answer reaches only when it is typed.

A conversation lasts ``expire``; it ends sooner when all of it is over. Then the code rests in quarantine, so that a
late answer never reaches another alert (FORMAT §3 ``commands``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from dataclasses import replace

from bridge.dispatch.draft import Draft
from bridge.model import Conversation, Incident

_SINGLES = 10  # incidents of a bundle that get a code each
_SHARED = 200  # that one code gathers besides; a storm of thousands must not be loaded with every answer
_LATE = 20  # incidents that are over and still known to a conversation that goes on


def for_one(draft: Draft, incident: Incident, phone: str, colleagues: Sequence[str] = ()) -> Conversation | None:
    """What a code of *phone* stands for when an SMS tells of *incident* alone: a new one, or the one it has renewed.

    None when every code of the range is in use on this phone: then the answer needs no code or is asked back.
    """
    mine = _alone(draft, phone, incident.id)
    if mine is not None:
        return _renewed(draft, mine, ())
    theirs = (talk for colleague in colleagues if (talk := _alone(draft, colleague, incident.id)))
    free = _Free(draft, phone, colleagues)
    code = free.first(next((talk.code for talk in theirs), incident.code))
    return _renewed(draft, Conversation(phone, code, (), draft.now, draft.now), (incident.id,)) if code else None


def for_all(
    draft: Draft, together: str, incidents: Sequence[Incident], phone: str, colleagues: Sequence[str] = ()
) -> Conversation | None:
    """The same for an SMS of the bundle *together* that shows one code for all *incidents*."""
    numbers = tuple(dict.fromkeys(incident.id for incident in incidents))
    mine = _goes_on(draft, phone, together)
    if mine is not None:
        return _renewed(draft, mine, numbers)
    theirs = (talk for colleague in colleagues if (talk := _goes_on(draft, colleague, together)))
    free = _Free(draft, phone, colleagues)
    code = free.first(next((talk.code for talk in theirs), ""))
    started = Conversation(phone, code, (), draft.now, draft.now, together)
    return _renewed(draft, started, numbers) if code else None


def for_each(
    draft: Draft, incidents: Sequence[Incident], phone: str, colleagues: Sequence[str] = ()
) -> tuple[Conversation, ...]:
    """The same for an SMS about several that shows no code: one for each, as far as there are plenty."""
    given: dict[str, Conversation] = {}
    rest: dict[int, None] = {}
    free = _Free(draft, phone, colleagues)
    for incident in incidents:
        mine = _known(draft, phone, incident.id)
        if mine is not None:
            given[mine.code] = _renewed(draft, given.get(mine.code, mine), ())
        elif len(given) < _SINGLES and free.plenty and (code := free.first(incident.code)):
            started = Conversation(phone, code, (), draft.now, draft.now)
            given[code] = _renewed(draft, started, (incident.id,))
        else:
            rest[incident.id] = None
    if rest and (code := free.first()):
        started = Conversation(phone, code, (), draft.now, draft.now)
        given[code] = _renewed(draft, started, tuple(rest)[:_SHARED])
    return tuple(given.values())


def code_of(draft: Draft, phone: str, incidents: Sequence[Incident]) -> str:
    """The code under which *phone* knows all of *incidents*, the one with the least besides; "" for none."""
    return _narrowest(draft, phone, incidents, lambda _talk: True)


def code_of_ended(draft: Draft, phone: str, incidents: Sequence[Incident]) -> str:
    """The code under which *phone* hears that *incidents* are over; "" while it stands for others that go on."""
    return _narrowest(draft, phone, incidents, lambda talk: not talk.incidents)


def _narrowest(draft: Draft, phone: str, incidents: Sequence[Incident], fits: Callable[[Conversation], bool]) -> str:
    numbers = {incident.id for incident in incidents}
    talks = (talk for talk in draft.codes(phone).values() if numbers <= {*talk.about} and talk.free_at > draft.now)
    return next((talk.code for talk in sorted(filter(fits, talks), key=lambda talk: len(talk.about))), "")


def ended(draft: Draft, incident: Incident) -> None:
    """*incident* is over: a code that stands for nothing else rests from now on."""
    for talk in tuple(_talks_of(draft, incident)):
        left = tuple(number for number in talk.incidents if number != incident.id)
        free_at = talk.free_at if left else min(talk.free_at, draft.now + draft.book.config.commands.quarantine)
        over = (*talk.over, incident.id)[-_LATE:]
        draft.converse(
            replace(talk, incidents=left, over=over, free_at=free_at, expires_at=min(talk.expires_at, free_at))
        )


def _talks_of(draft: Draft, incident: Incident) -> Iterator[Conversation]:
    """Who was told of it has a code for it."""
    notes = (*draft.memory.notifications.get(incident.id, ()), *draft.notifications)
    for phone in dict.fromkeys(note.phone for note in notes if note.incident_id == incident.id):
        yield from (talk for talk in draft.codes(phone).values() if incident.id in talk.incidents)


def _known(draft: Draft, phone: str, number: int) -> Conversation | None:
    """The conversation about this incident; one about it alone before one about several."""
    talks = [t for t in draft.codes(phone).values() if number in t.incidents and t.expires_at > draft.now]
    return min(talks, key=lambda talk: len(talk.incidents), default=None)


def _alone(draft: Draft, phone: str, number: int) -> Conversation | None:
    """The conversation about this incident and no other."""
    mine = _known(draft, phone, number)
    return mine if mine is not None and mine.incidents == (number,) and not mine.together else None


def _goes_on(draft: Draft, phone: str, together: str) -> Conversation | None:
    """The conversation about this bundle, while any of it goes on."""
    talks = draft.codes(phone).values()
    return next((t for t in talks if t.together == together and t.incidents and t.expires_at > draft.now), None)


def _renewed(draft: Draft, talk: Conversation, more: Iterable[int]) -> Conversation:
    """Spoken of now, and of *more* besides."""
    commands = draft.book.config.commands
    expires = draft.now + commands.expire
    incidents = tuple(dict.fromkeys((*talk.incidents, *more)))
    return replace(talk, incidents=incidents, expires_at=expires, free_at=expires + commands.quarantine)


class _Free:
    """The codes of a phone that stand for nothing and do not rest; those that are free for colleagues too go first."""

    def __init__(self, draft: Draft, phone: str, colleagues: Sequence[str]) -> None:
        first, last = draft.book.code_range
        self._range = range(first, last + 1)
        self._draft, self._colleagues = draft, colleagues
        self._mine = _taken(draft, phone)
        self._anywhere: set[str] | None = None  # asked of a large team only when it must be

    @property
    def plenty(self) -> bool:
        """Whether less than half of the codes are taken."""
        return 2 * len(self._mine) < len(self._range)

    def first(self, wished: str = "") -> str:
        """*wished* if it can be, else the lowest that is free for all, else on this phone; it is taken then.

        "" when there is none.
        """
        code = wished if wished and wished not in self._mine else self._lowest_for_all() or self._lowest(self._mine)
        if code:
            self._mine.add(code)
        return code

    def _lowest_for_all(self) -> str:
        if self._anywhere is None:
            self._anywhere = set[str]().union(*(_taken(self._draft, phone) for phone in self._colleagues))
        return self._lowest(self._mine | self._anywhere)

    def _lowest(self, taken: Set[str]) -> str:
        return next((code for code in map(str, self._range) if code not in taken), "")


def _taken(draft: Draft, phone: str) -> set[str]:
    """The codes that stand for something on this phone, or rest."""
    return {code for code, talk in draft.codes(phone).items() if talk.free_at > draft.now}
