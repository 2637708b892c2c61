"""The ladder of an incident as it stood when it began, and when each of its rungs speaks (FORMAT §3 Step, §14).

A running incident keeps its ladder in its timer: a reload changes nothing for it. Every rung counts from the
incident's first message. A ladder of several rungs starts its next round counted from its last rung, so one of a
single rung speaks at 1, 2, 3 times its ``after``: both are the same sum. Pure: no clock, no names resolved.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, cast

from bridge.book.steps import text_name
from bridge.config.models.people import Step
from bridge.config.names import Who, WhoKind
from bridge.model import Channel, MessageClass

_LATE = timedelta(minutes=1)  # less is how exact a clock of ours is
FIRST = "0"  # the notification's step of the rule's own people


@dataclass(frozen=True, slots=True)
class Rung:
    """One step: *after* counts from the incident's first message; every channel of *channels* is used."""

    after: timedelta
    to: tuple[Who, ...]
    channels: tuple[Channel, ...] = ("sms",)
    message_class: MessageClass | None = None  # None: the rule's
    text: str = ""  # name of its text in the book, "" = the rule's


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs, how often they are gone through, and how many have spoken (all rounds counted together)."""

    rule: str
    source: str
    episode: int
    begun: datetime  # first message
    rungs: tuple[Rung, ...]
    rounds: int = 1
    spoken: int = 0
    paused: datetime | None = None  # since when somebody has it

    @property
    def over(self) -> bool:
        """Whether every rung of every round has spoken."""
        return self.spoken >= self.rounds * len(self.rungs)

    @property
    def rung(self) -> Rung:
        """The next one; the last one of a ladder that is over."""
        last = self.rounds * len(self.rungs) - 1
        return self.rungs[min(self.spoken, last) % len(self.rungs)]

    def due(self, number: int) -> datetime:
        """When rung *number* (from 0, all rounds counted together) speaks by the clock."""
        turn, place = divmod(number, len(self.rungs))
        return self.begun + turn * self.rungs[-1].after + self.rungs[place].after

    def key(self, number: int) -> str:
        """The notification's step of rung *number*: ``step:2``, in later rounds ``step:<round>.2``."""
        turn, place = divmod(number, len(self.rungs))
        return f"step:{turn + 1}.{place + 1}" if turn else f"step:{place + 1}"

    @property
    def stands_at(self) -> str:
        """The notification's step that spoke last; ``0`` while only the rule's own people were told."""
        return self.key(self.spoken - 1) if self.spoken else FIRST

    @property
    def next_at(self) -> datetime | None:
        """When the next rung speaks by the clock; None when there is none."""
        return None if self.over else self.due(self.spoken)

    def late_by(self, now: datetime) -> Ladder:
        """When the next rung speaks late, the others do too: each keeps its distance, and nobody is skipped."""
        late = now - self.due(self.spoken)
        return self if self.over or late < _LATE else replace(self, begun=self.begun + late)

    def gone_on(self) -> Ladder:
        """After the next rung has spoken."""
        return replace(self, spoken=self.spoken + 1)

    def held_at(self, now: datetime) -> Ladder:
        """Somebody has it: the ladder stands still."""
        return replace(self, paused=self.paused or now)

    def resumed_at(self, now: datetime) -> Ladder:
        """Nobody has it any more: what was left of the way to the next rung is left now."""
        if self.paused is None:
            return self
        return replace(self, begun=self.begun + (now - self.paused), paused=None)

    def data(self) -> dict[str, object]:
        """As a timer keeps it: plain values of JSON."""
        return {
            "rule": self.rule, "source": self.source, "episode": self.episode, "begun": self.begun.isoformat(),
            "rungs": [_rung_data(rung) for rung in self.rungs], "rounds": self.rounds, "spoken": self.spoken,
            "paused": self.paused.isoformat() if self.paused else "",
        }  # fmt: skip


def ladder_of(rule: str, source: str, episode: int, steps: Sequence[Step], now: datetime) -> Ladder:
    """The ladder that begins *now*; *steps* are those of the rule, at least one."""
    rungs = tuple(_rung(step) for step in sorted(steps, key=lambda step: step.after))
    return Ladder(rule, source, episode, now, rungs, 1 + max(step.again for step in steps))


def from_data(data: Mapping[str, object]) -> Ladder:
    """The ladder that :meth:`Ladder.data` wrote."""
    known = cast(Mapping[str, Any], data)
    return Ladder(
        known["rule"], known["source"], known["episode"], datetime.fromisoformat(known["begun"]),
        tuple(_rung_from(rung) for rung in known["rungs"]), known["rounds"], known["spoken"],
        datetime.fromisoformat(known["paused"]) if known["paused"] else None,
    )  # fmt: skip


def _rung(step: Step) -> Rung:
    return Rung(step.after, step.to, step.channel, step.class_, text_name(step.text) if step.text else "")


def _rung_data(rung: Rung) -> dict[str, object]:
    return {
        "after": int(rung.after.total_seconds()), "to": [[who.kind, who.name] for who in rung.to],
        "channels": list(rung.channels), "class": rung.message_class or "", "text": rung.text,
    }  # fmt: skip


def _rung_from(data: Mapping[str, Any]) -> Rung:
    return Rung(
        timedelta(seconds=data["after"]),
        tuple(Who(cast(WhoKind, kind), name) for kind, name in data["to"]),
        tuple(data["channels"]),
        data["class"] or None,
        data["text"],
    )
