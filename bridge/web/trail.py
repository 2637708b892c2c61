"""One life as steps: what came, what was decided, who was told, what was answered, how it ended.

Pure: rows in, plain values out. Strict order of time; rows of one moment stay in the order in which things
follow from each other. A thing decided against is a step like any other, drawn dashed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from bridge.store.views_trail import TrailRows
from bridge.web.seen import Mark, Seen

Chapter = Literal["mail", "again", "decided", "told", "answers", "over", ""]
Group = Literal["person", "decision", "against", ""]
SHOWS: tuple[str, ...] = ("", "person", "decision", "against")


@dataclass(frozen=True, slots=True)
class Fold:
    """A record below a step, folded."""

    label: str
    pairs: tuple[tuple[str, str], ...] = ()
    conds: tuple[tuple[str, str], ...] = ()  # (y | n | o, sentence)
    text: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, or was decided against."""

    at: datetime
    id: str
    kind: str  # colour: bad ok info ""
    sign: str
    title: str
    chapter: Chapter = ""  # "" stays in the chapter before
    group: Group = ""
    why: tuple[tuple[str, str], ...] = ()  # (bold word, sentence)
    quote: str = ""
    bubble: str = ""
    mine: bool = False
    conds: tuple[tuple[str, str], ...] = ()
    folds: tuple[Fold, ...] = ()
    against: bool = False
    mark: Mark | None = None
    link: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A step in its place: with its clock, its distance, and the chapter that begins with it."""

    step: Step
    chapter: str
    clock: str
    distance: str
    last: bool


def in_order(steps: Iterable[Step]) -> list[Step]:
    """By time; what is of one moment stays as it was given."""
    return sorted(steps, key=lambda step: step.at)


def shown(v: Seen, steps: Sequence[Step], told: str, answered: str) -> Iterator[Shown]:
    """*steps* in their places; *told* and *answered* name the people of those chapters."""
    titles = {
        "mail": v.say("chapter.mail"),
        "again": v.say("chapter.again"),
        "decided": v.say("chapter.decided"),
        "told": v.say("chapter.told", who=told),
        "answers": v.say("chapter.answers", who=answered),
        "over": v.say("chapter.over"),
    }
    before: Step | None = None
    chapter = ""
    for n, step in enumerate(steps):
        begins = titles[step.chapter] if step.chapter and titles[step.chapter] != chapter else ""
        chapter = begins or chapter
        yield Shown(step, begins, _clock(v, step.at), _distance(v, before, step), n == len(steps) - 1)
        before = step


def _clock(v: Seen, at: datetime) -> str:
    local = at.astimezone(v.zone)
    time = f"{local:%H:%M:%S}.{local.microsecond // 1000:03d}"
    return time if v.is_today(at) else f"{v.say.words.date(at, v.zone)} {time}"


def _distance(v: Seen, before: Step | None, step: Step) -> str:
    if before is None:
        return v.say("distance.start")
    return "+" + lasted(v, step.at - before.at) if step.at > before.at else v.say("distance.same")


def lasted(v: Seen, span: timedelta) -> str:
    """``17 ms``, ``5.9 s``, ``2 min 9 s``, ``3 h``, with blanks at which no line breaks."""
    return _lasted(v, span).replace(" ", "\u00a0")


def _lasted(v: Seen, span: timedelta) -> str:
    seconds = span.total_seconds()
    units = v.say.words.units
    if seconds < 1:
        return f"{max(1, round(seconds * 1000))} {v.say('unit.ms')}"
    if seconds < 60:
        return f"{seconds:.1f} {units['s']}"
    if seconds < 3600:
        return f"{int(seconds // 60)} {units['m']} {int(seconds % 60)} {units['s']}"
    return v.span(span)


def filtered(steps: Sequence[Step], show: str) -> list[Step]:
    """The steps of one group, all of them for ""."""
    return [step for step in steps if not show or step.group == show]


def only_ids(steps: Sequence[Step]) -> list[Step]:
    """Every id once: a page must not hold one twice."""
    seen: dict[str, int] = {}
    unique = []
    for step in steps:
        count = seen[step.id] = seen.get(step.id, 0) + 1
        unique.append(step if count == 1 else replace(step, id=f"{step.id}-{count}"))
    return unique


def people_of(v: Seen, rows: TrailRows) -> str:
    """Who was told, by name, in order."""
    names = [
        v.who(sent.message.person, sent.message.phone) for sent in rows.messages if sent.message.rule != "(answer)"
    ]
    return ", ".join(dict.fromkeys(names)) or v.say("nobody")


def answerers_of(v: Seen, rows: TrailRows) -> str:
    """Who answered, by name, in order."""
    names = [v.who(v.book.person_of(reply.phone), reply.phone) for reply in rows.replies]
    return ", ".join(dict.fromkeys(names)) or v.say("nobody")
