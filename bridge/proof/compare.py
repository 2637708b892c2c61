"""Whether what happened is what a step expects: ``expect`` is complete (FORMAT §12).

Items and effects meet in order of time; those of one moment in any order. Inside an item only the keys that are
written are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.config.derived import main_currency
from bridge.config.models import Expect, Nothing, Refused
from bridge.model import Event, Fate, Incident, Spent
from bridge.proof import shown
from bridge.proof.door import Refusal
from bridge.proof.given import worth_in
from bridge.proof.items import Look, differing, incidents_like, is_about, is_like, written_item
from bridge.proof.mails import BadTest, NotBuilt
from bridge.proof.world import Effect

EFFECTS = ("sms", "call", "mail")  # what a step may cause, of what is built
LOOKS = ("not", "incident", "event", "output", "spent")  # looks at what was decided, no effects


@dataclass(frozen=True, slots=True)
class Difference:
    """One item that failed, in the words of tests. *expected* or *happened* is "" where there is none."""

    expected: str = ""
    happened: str = ""
    why: str = ""


def compare(expected: Nothing | Refused | tuple[Expect, ...], ignore: Sequence[Expect], look: Look) -> list[Difference]:
    """Everything that is not as expected. Raises NotBuilt for items that this version cannot have."""
    if isinstance(expected, Refused):
        return _refused(expected, look)
    if isinstance(expected, Nothing):
        return _nothing(expected, ignore, look)
    for item in expected:
        if item.kind not in (*EFFECTS, *LOOKS):
            raise NotBuilt(f"expect {item.kind}")
    effects = [item for item in expected if item.kind in EFFECTS]
    return [*_effects(effects, ignore, look), *_events(expected, look), *_looks(expected, look)]


# phrases


def _refused(expected: Refused, look: Look) -> list[Difference]:
    said = [each for each in look.happened.refusals if not expected.address or each.address == expected.address]
    fits = any(_is_refusal(expected, each) for each in said)
    if fits and (expected.address or not look.happened.taken_in):
        return []
    phrase = " ".join(filter(None, ["refused", expected.code, expected.enhanced, expected.text]))
    happened = [f"refused {each.line}" for each in said] or ["the door took it"]
    return [Difference(phrase + (f" for {expected.address}" if expected.address else ""), "; ".join(happened))]


def _is_refusal(expected: Refused, refusal: Refusal) -> bool:
    code, _, rest = refusal.line.partition(" ")
    enhanced, _, sentence = rest.partition(" ")
    return (
        code == expected.code
        and expected.enhanced in ("", enhanced)
        and expected.text.casefold() in sentence.casefold()
    )


def _nothing(expected: Nothing, ignore: Sequence[Expect], look: Look) -> list[Difference]:
    end = "…" if expected.open_end else ""
    phrase = f"nothing because {expected.because}{end}" if expected.because else "nothing"
    left = [effect for effect in look.happened.effects if not _ignored(effect, ignore, look)]
    wrong = [Difference(phrase, _written(effect, look)) for effect in left]
    wrong += [Difference(phrase, f"refused {refusal.line}") for refusal in look.happened.refusals]
    if wrong or not expected.because:
        return wrong
    reasons = reasons_of(look.happened.fates)
    if any(_is_reason(expected.because, reason, open_end=expected.open_end) for reason in reasons):
        return []
    return [Difference(phrase, "; ".join(f"nothing because {reason}" for reason in reasons) or "nothing came in")]


def reasons_of(fates: Sequence[Fate]) -> tuple[str, ...]:
    """Why no SMS left, each reason once, in order."""
    return tuple(dict.fromkeys(fate.reason for fate in fates if fate.what == "nothing" and fate.reason))


def _is_reason(expected: str, reason: str, *, open_end: bool) -> bool:
    return reason.startswith(expected) if open_end else reason == expected


# effects


def _effects(items: list[Expect], ignore: Sequence[Expect], look: Look) -> list[Difference]:
    effects = sorted(look.happened.effects, key=lambda effect: effect.at)
    refused = [Difference("", f"refused {refusal.line}") for refusal in look.happened.refusals]
    if _in_order(items, effects, ignore, look):
        return [] if items else refused
    pairs = paired(items, effects, look)
    missing = [item for n, item in enumerate(items) if n not in pairs]
    left = [effect for effect in effects if effect not in pairs.values()]
    wrong = _beside(missing, left, look)
    wrong += [Difference("", _written(effect, look)) for effect in left if not _ignored(effect, ignore, look)]
    return [*refused, *wrong] or [Difference(why="all of these happened, but in another order of time")]


def _in_order(items: Sequence[Expect], effects: Sequence[Effect], ignore: Sequence[Expect], look: Look) -> bool:
    """Whether every item has an effect of its own, not earlier than that of the item before, and none is left."""
    fits = [[is_like(item, effect, look) for effect in effects] for item in items]
    must = [not _ignored(effect, ignore, look) for effect in effects]
    failed: set[tuple[int, frozenset[int]]] = set()

    def search(n: int, taken: frozenset[int], since: datetime) -> bool:
        left = [effect.at for place, effect in enumerate(effects) if must[place] and place not in taken]
        if n == len(items):
            return not left
        if (n, taken) in failed or any(at < since for at in left):
            return False
        free = (place for place, fit in enumerate(fits[n]) if fit and place not in taken)
        if any(effects[p].at >= since and search(n + 1, taken | {p}, effects[p].at) for p in free):
            return True
        failed.add((n, taken))
        return False

    return search(0, frozenset(), datetime.min.replace(tzinfo=look.began.tzinfo))


def paired(items: Sequence[Expect], effects: Sequence[Effect], look: Look) -> dict[int, Effect]:
    """As many items (by their places) with an effect that fits as can be, each once: what is really missing shows."""
    owner: dict[int, int] = {}

    def place_for(n: int, tried: set[int]) -> bool:
        for place, effect in enumerate(effects):
            if place in tried or not is_like(items[n], effect, look):
                continue
            tried.add(place)
            if place not in owner or place_for(owner[place], tried):
                owner[place] = n
                return True
        return False

    for n in range(len(items)):
        place_for(n, set())
    return {n: effects[place] for place, n in owner.items()}


def _beside(missing: Sequence[Expect], left: list[Effect], look: Look) -> list[Difference]:
    """Each missing item beside the effect most like it, which is taken out of *left*."""
    found = []
    for item in missing:
        near = next((effect for effect in left if is_about(item, effect, look)), None)
        if near is None:
            found.append(Difference(shown.flow(written_item(item)), ""))
            continue
        left.remove(near)
        wrong = ", ".join(differing(item, near, look))
        found.append(Difference(shown.flow(written_item(item)), _written(near, look, item), wrong))
    return found


def _ignored(effect: Effect, ignore: Sequence[Expect], look: Look) -> bool:
    return any(is_like(item, effect, look) for item in ignore)


# looks


def _events(items: Sequence[Expect], look: Look) -> list[Difference]:
    """``event`` items, in order among what intake understood."""
    left = list(look.happened.events)
    wrong = []
    for item in items:
        if item.kind != "event":
            continue
        place = next((n for n, event in enumerate(left) if _is_event(item, event)), None)
        if place is None:
            seen = " ".join(shown.flow(shown.event_item(event)) for event in look.happened.events)
            wrong.append(Difference(shown.flow(written_item(item)), seen))
        else:
            left = left[place + 1 :]
    return wrong


def _is_event(item: Expect, event: Event) -> bool:
    wanted = item.event.model_dump(exclude_unset=True) if item.event else {}
    return all(getattr(event, name) == value for name, value in wanted.items())


def _looks(items: Sequence[Expect], look: Look) -> list[Difference]:
    wrong = []
    for item in items:
        if item.kind == "not" and not _was_not_told(item, look):
            told = [f"{fate.person or 'nobody'}: {fate.reason}" for fate in look.happened.fates if fate.reason]
            wrong.append(Difference(shown.flow(written_item(item)), "; ".join(told)))
        if item.kind == "incident" and not any(_is_incident(item, one) for one in _asked(item, look)):
            near = _asked(item, look) or list(look.incidents)
            wrong.append(Difference(shown.flow(written_item(item)), _listed(near)))
        if item.kind == "output" and str(item.output).casefold() not in "\n".join(look.output).casefold():
            wrong.append(Difference(shown.flow(written_item(item)), " / ".join(look.output)))
        if item.kind == "spent" and not _was_spent(item, look):
            currency = main_currency(look.config) or ""
            happened = shown.spent(str(item.spent), _spent(item, look), currency)
            wrong.append(Difference(shown.flow(written_item(item)), happened))
    return wrong


def _spent(item: Expect, look: Look) -> Spent:
    """The sums of the budget that *item* looks at; nothing where it has seen nothing yet."""
    return look.spent.get(str(item.spent).casefold(), Spent())


def _was_spent(item: Expect, look: Look) -> bool:
    """Whether a budget has seen as much money, or as many messages, as *item* says."""
    written = str(item.is_ or "0")
    seen = _spent(item, look)
    if written.isdigit():
        return seen.messages == int(written)
    try:
        return seen.money == worth_in(look.config, written)
    except ValueError as error:
        raise BadTest(f"is: {error}") from error


def _listed(incidents: Sequence[Incident]) -> str:
    return " ".join(shown.flow(shown.incident_item(incident)) for incident in incidents)


def _was_not_told(item: Expect, look: Look) -> bool:
    """Somebody's own reason, or one that holds for the whole event."""
    because = item.because or ""
    open_end = because.endswith("…")
    return any(
        fate.what == "nothing"
        and (not because or _is_reason(because.rstrip("… "), fate.reason, open_end=open_end))
        and (not fate.person or _is_person(item, fate.person, look))
        for fate in look.happened.fates
        if fate.reason
    )


def _is_person(item: Expect, person: str, look: Look) -> bool:
    who = item.not_
    return who is not None and person in (who.name, look.people(who.name) if who.kind == "phone" else who.name)


def _asked(item: Expect, look: Look) -> list[Incident]:
    return incidents_like(str(item.incident), look.incidents)


def _is_incident(item: Expect, incident: Incident) -> bool:
    return (
        item.state in (None, incident.state)
        and item.count in (None, incident.count)
        and item.acked_by in (None, incident.acked_by)
        and item.severity in (None, incident.severity)
    )


def _written(effect: Effect, look: Look, beside: Expect | None = None) -> str:
    keys = list(written_item(beside)) if beside else []
    return shown.flow(shown.brief(effect, look.began, look.zone, keys))
