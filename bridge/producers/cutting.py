"""Cutting the events of a recognised mail, as its pack says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise

from bridge.model import SEVERITIES, Email, Event
from bridge.producers.generic import DETAIL, NAME, TITLE
from bridge.producers.pack import TEXT, Choice, Cut, Level, Pack, Pairs, Regex, Scale

EVENTS = 50  # of one mail; the last one then says how many more there were
_LINES = 200  # lines of an event's text in which labels are looked for
_PAIRS = 60  # pairs of one event
_PLACES = 20  # of a cut that takes every place


@dataclass(frozen=True, slots=True)
class _Piece:
    """A piece of the text, what its section says of it, and where events begin in it."""

    raw: bytes
    given: Mapping[str, str] = field(default_factory=dict)
    split: Regex | None = None


def cut_events(pack: Pack, email: Email, source: str, text: str, fixed: Mapping[str, str]) -> tuple[Event, ...]:
    """At least one and at most 50 events of *text*, the bare text of *email*.

    *fixed*: values that hold for all of them, ``subject`` among them. Where the pack's sections leave nothing to
    report, the mail is one event of state info.
    """
    sections = _sections(pack, text)
    if sections is None:
        whole = _Piece(text.encode(), split=pack.split)
        pieces = [*_pieces(pack, whole)] or [whole]
    else:
        pieces = [piece for section in sections for piece in _pieces(pack, section)]
    if not pieces:
        quiet = _event(pack, email, source, _Piece(text.encode()), fixed)
        return (replace(quiet, severity="info", state="info", key="", problem_id=""),)
    events = [_event(pack, email, source, piece, fixed) for piece in pieces[:EVENTS]]
    if len(pieces) > EVENTS:
        events[-1] = _rest(events[-1], len(pieces) - EVENTS + 1)
    return tuple(events)


def _sections(pack: Pack, text: str) -> list[_Piece] | None:
    """What stands below each heading and is not dropped; None when there is no heading."""
    raw = text.encode()
    found = sorted(
        (begin, end, at) for at, section in enumerate(pack.sections) for begin, end in section.heading.spans(raw)
    )
    if not found:
        return None
    ends = [*(begin for begin, _, _ in found[1:]), len(raw)]
    return [
        _Piece(raw[end:until], pack.sections[at].given, pack.sections[at].split or pack.split)
        for (_, end, at), until in zip(found, ends, strict=True)
        if not pack.sections[at].drop
    ]


def _pieces(pack: Pack, whole: _Piece) -> Iterator[_Piece]:
    """*whole* cut where events begin; what stands before the first is dropped. Empty ones are none."""
    starts = [begin for begin, _ in whole.split.spans(whole.raw)] if whole.split is not None else []
    parts = [whole.raw[begin:end] for begin, end in pairwise([*starts, len(whole.raw)])] if starts else [whole.raw]
    current = b""
    for part in parts:
        if not part.strip():
            continue
        if current and pack.continued is not None and pack.continued.fits(part.decode()):
            current += part
            continue
        if current:
            yield replace(whole, raw=current)
        current = part
    if current:
        yield replace(whole, raw=current)


def _event(pack: Pack, email: Email, source: str, piece: _Piece, fixed: Mapping[str, str]) -> Event:
    block = piece.raw.decode()
    pairs = _paired(pack.pairs, block)
    values = {**_values(pack, email, block, pairs, fixed["subject"]), **piece.given, **fixed, "text": block}
    said = {name: _first(choice, values) for name, choice in pack.fields.items()}
    labels = {
        name: value for each, found in zip(pack.pairs, pairs, strict=True) if each.labels for name, value in found
    }
    labels |= {name: _first(choice, values) for name, choice in pack.labels.items()}
    return Event(
        source=source,
        producer=pack.producer,
        host=_row(said.get("host", ""))[:NAME],
        service=_row(said.get("service", ""))[:NAME],
        severity=_level(pack.severity, values),
        state=_level(pack.state, values),
        key=_row(said.get("key", ""))[: 2 * NAME],
        title=_row(said.get("title") or fixed["subject"] or block.strip().partition("\n")[0] or "(empty mail)")[:TITLE],
        detail=(said.get("detail") or block.strip())[:DETAIL],
        labels={name: value[:NAME] for name, value in labels.items() if value},
        problem_id=said.get("problem_id", "")[:NAME],
    )


def _values(pack: Pack, email: Email, block: str, pairs: list[list[tuple[str, str]]], subject: str) -> dict[str, str]:
    """All that is found, by name. Stronger first: subject, text, pairs, lines, headers; an empty value is none."""
    values = {name: given[0] for header, name in pack.headers.items() if (given := email.headers.get(header))}
    values.update(_labelled(pack.lines, block) if pack.lines else {})
    for each, found in zip(reversed(pack.pairs), reversed(pairs), strict=True):
        values.update({name: value for name, value in found if name in each.names and value})
        if each.labels and found:
            values["pairs"] = ",".join(f"{name}={value}" for name, value in found)
    for cut in reversed(pack.text):
        values.update(_cut(cut, block[:TEXT]) or {})
    for cut in pack.subject:
        if (given_by := _cut(cut, subject)) is not None:
            values.update(given_by)
            break
    return values


def _cut(cut: Cut, text: str) -> dict[str, str] | None:
    """What *cut* says of *text*, without empty values; None when it does not fit."""
    if cut.every is None:
        found = cut.pattern.groups(text)
    else:
        places = [*cut.pattern.every(text, _PLACES + 1)]
        found = {name: _joined([each[name] for each in places], cut.every) for name in cut.pattern.names}
        found = found if places else None
    if found is None:
        return None
    return {name: value for name, value in {**found, **cut.given}.items() if value}


def _joined(values: list[str], by: str) -> str:
    distinct = [*dict.fromkeys(value for value in values[:_PLACES] if value)]
    return by.join(distinct) + (" ..." if len(values) > _PLACES else "")


def _paired(kinds: tuple[Pairs, ...], block: str) -> list[list[tuple[str, str]]]:
    """Names and values of each kind of pairs, in their order."""
    return [
        [(pair["name"], pair["value"]) for pair in each.pattern.every(_between(block[:TEXT], each), _PAIRS)]
        for each in kinds
    ]


def _between(text: str, pairs: Pairs) -> str:
    raw = text.encode()
    if pairs.after is not None:
        begin = next((end for _, end in pairs.after.spans(raw)), len(raw))
        raw = raw[begin:]
    if pairs.until is not None:
        raw = raw[: next((begin for begin, _ in pairs.until.spans(raw)), len(raw))]
    return raw.decode()


def _labelled(labels: Mapping[str, str], block: str) -> dict[str, str]:
    """Values of lines ``Label: value``; the first such line counts, because what is quoted comes later."""
    found: dict[str, str] = {}
    for row in block.split("\n", _LINES)[:_LINES]:
        label, colon, value = row.partition(":")
        if not colon or len(label) > 60:
            continue
        name = labels.get(label.strip(" *>").casefold())
        if name is not None and value.strip(" *"):
            found.setdefault(name, value.strip(" *"))
    return found


def _row(text: str) -> str:
    """*text* in one line, blanks collapsed."""
    return " ".join(text.split())


def _first(choice: Choice, values: Mapping[str, str]) -> str:
    for each in choice:
        if text := each.filled(values).strip():
            return text
    return ""


def _level(scale: Scale[Level], values: Mapping[str, str]) -> Level:
    """Our word for the first of the producer's that the map knows; of ``High (4)`` the first word counts."""
    for each in scale.of:
        said = each.filled(values).strip().casefold()
        for word in (said, said.partition(" ")[0].strip(",;:()")):
            if word in scale.words:
                return scale.words[word]
    return scale.otherwise


def _rest(event: Event, left: int) -> Event:
    """The last of too many: it tells of the others, as badly as anything can be."""
    return replace(event, title=f"and {left} more events in this mail", severity=SEVERITIES[-1], key="", labels={})
