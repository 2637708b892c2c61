"""``identify``: what a mail tells of. Pure, bounded, never raises for what a mail contains."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from bridge.model import SEVERITIES, Email, Envelope, Event
from bridge.producers.generic import DETAIL, NAME, PRODUCER, TITLE, generic_event, title_of
from bridge.producers.loading import Packs
from bridge.producers.pack import TEXT, Choice, Level, Pack, Scale
from bridge.producers.sender import sender_host, subjects

EVENTS = 50  # of one mail; the last one then says how many more there were
_LINES = 200  # lines of a text in which labels are looked for


def identify(
    email: Email, envelope: Envelope, source: str, packs: Packs, forced: str | None = None
) -> tuple[Event, ...]:
    """The events of a mail, at least one and at most 50.

    The first pack with a mark that fits cuts them; *forced* names the pack and skips recognition. What no pack
    recognises, or cuts nothing from, is one generic event (of producer *forced*, if that was given).
    """
    candidates = subjects(email)
    if forced:
        pack, subject = packs.named(forced), candidates[0]
    else:
        pack, subject = recognise(email, packs, candidates)
    if pack is None:
        return (generic_event(email, envelope, source, forced or PRODUCER),)
    fixed = {"sender": email.from_address, "sender_host": sender_host(email, envelope), "subject": subject}
    blocks = _blocks(pack, email.text)
    events = [_event(pack, email, source, block, fixed) for block in blocks[:EVENTS]]
    if len(blocks) > EVENTS:
        events[-1] = _rest(events[-1], len(blocks) - EVENTS + 1)
    return tuple(events)


def recognise(email: Email, packs: Packs, candidates: tuple[str, ...]) -> tuple[Pack | None, str]:
    """The first pack one of whose marks fits, and the subject (the mail's own or a forwarded one's) that it fits."""
    haystack = "\n".join([*candidates, email.text[:TEXT]]).casefold()
    for pack in packs.packs:
        for mark in pack.marks:
            if (subject := mark.found(email, candidates, haystack)) is not None:
                return pack, subject
    return None, candidates[0]


def _blocks(pack: Pack, text: str) -> tuple[str, ...]:
    """The text of each event; what stands before the first is dropped. Without a split the text is one block."""
    starts = pack.split.starts(text) if pack.split is not None else ()
    if not starts:
        return (text,)
    return tuple(text[begin:end] for begin, end in zip(starts, (*starts[1:], len(text)), strict=True))


def _event(pack: Pack, email: Email, source: str, block: str, fixed: Mapping[str, str]) -> Event:
    values = _values(pack, email, block, fixed)
    said = {name: _first(choice, values) for name, choice in pack.fields.items()}
    labels = {name: _first(choice, values)[:NAME] for name, choice in pack.labels.items()}
    return Event(
        source=source,
        producer=pack.producer,
        host=said.get("host", "")[:NAME],
        service=said.get("service", "")[:NAME],
        severity=_level(pack.severity, values),
        state=_level(pack.state, values),
        key=said.get("key", "")[: 2 * NAME],
        title=(said.get("title") or title_of(email))[:TITLE],
        detail=(said.get("detail") or block.strip())[:DETAIL],
        labels={name: value for name, value in labels.items() if value},
        problem_id=said.get("problem_id", "")[:NAME],
    )


def _values(pack: Pack, email: Email, block: str, fixed: Mapping[str, str]) -> Mapping[str, str]:
    """All that the pack finds, by name. Stronger first: subject, text, lines, headers; an empty value is none."""
    values = {name: values[0] for header, name in pack.headers.items() if (values := email.headers.get(header))}
    values.update(_labelled(pack.lines, block) if pack.lines else {})
    for cut in reversed(pack.text):
        if (found := cut.pattern.groups(block[:TEXT])) is not None:
            values.update({name: value for name, value in {**found, **cut.given}.items() if value})
    for cut in pack.subject:
        if (found := cut.pattern.groups(fixed["subject"])) is not None:
            values.update({name: value for name, value in {**found, **cut.given}.items() if value})
            break
    return {**values, **fixed, "text": block}


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


def _first(choice: Choice, values: Mapping[str, str]) -> str:
    for each in choice:
        if text := each.filled(values).strip():
            return text
    return ""


def _level(scale: Scale[Level], values: Mapping[str, str]) -> Level:
    """Our word for the producer's. A compound one (``Severity: High (4)``) counts by its first word."""
    said = _first(scale.of, values).casefold()
    if said in scale.words:
        return scale.words[said]
    return scale.words.get(said.partition(" ")[0].strip(",;:()"), scale.otherwise)


def _rest(event: Event, left: int) -> Event:
    """The last of too many: it tells of the others, as badly as anything can be."""
    return replace(event, title=f"and {left} more events in this mail", severity=SEVERITIES[-1], key="", labels={})
