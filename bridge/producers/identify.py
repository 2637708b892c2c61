"""``identify``: what a mail tells of. Pure, bounded, never raises for what a mail contains."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import Email, Envelope, Event
from bridge.producers.cutting import EVENTS, cut_events
from bridge.producers.generic import PRODUCER, generic_event
from bridge.producers.loading import Packs
from bridge.producers.pack import TEXT, Pack
from bridge.producers.sender import sender_host
from bridge.producers.unwrap import Bare, unwrapped

__all__ = ["EVENTS", "identify", "recognise"]


def identify(
    email: Email, envelope: Envelope, source: str, packs: Packs, forced: str | None = None
) -> tuple[Event, ...]:
    """The events of a mail, at least one and at most 50.

    The first pack with a mark that fits cuts them; *forced* names the pack and skips recognition. What no pack
    recognises, or cuts nothing from, is one generic event (of producer *forced*, if that was given).
    """
    bare = unwrapped(email)
    if forced:
        pack, subject = packs.named(forced), bare.subjects[0]
    else:
        pack, subject = recognise(email, packs, bare)
    if pack is None:
        return (generic_event(email, envelope, source, forced or PRODUCER),)
    host = sender_host(replace(email, from_address=bare.sender), envelope)
    fixed = {"sender": bare.sender, "sender_host": host, "subject": subject}
    return cut_events(pack, email, source, bare.text, fixed)


def recognise(email: Email, packs: Packs, bare: Bare) -> tuple[Pack | None, str]:
    """The first pack one of whose marks fits, and the subject (the mail's own or a forwarded one's) that it fits."""
    haystack = "\n".join([*bare.subjects, bare.text[:TEXT]]).casefold()
    for pack, mark in packs.marks_for(email.headers, haystack):
        if (subject := mark.found(email, bare, haystack)) is not None:
            return pack, subject
    return None, bare.subjects[0]
