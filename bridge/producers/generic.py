"""The event of a mail that nobody recognises."""

from __future__ import annotations

from bridge.model import Email, Envelope, Event
from bridge.producers.sender import bare_subject, sender_host

PRODUCER = "generic"
TITLE = 1_000  # characters; longer texts are cut, what an SMS shows is decided later
DETAIL = 10_000
NAME = 255


def generic_event(email: Email, envelope: Envelope, source: str, producer: str = PRODUCER) -> Event:
    """One ``info`` event: host from the sender, title from the subject, detail from the text.

    Its *severity* is info, because nothing in the mail can be believed to say how bad it is. Its *state* is problem
    and not info, so that it opens an incident: the same mail again is a repeat, not a second page. It has no key: the
    exact text pairs it.
    """
    return Event(
        source=source,
        producer=producer,
        host=sender_host(email, envelope)[:NAME],
        service="",
        severity="info",
        state="problem",
        key="",
        title=title_of(email)[:TITLE],
        detail=email.text[:DETAIL],
    )


def title_of(email: Email) -> str:
    """The bare subject, else the first line of the text, else the first file name: an alert is never empty."""
    for candidate in (bare_subject(email.subject), email.text.partition("\n")[0], *email.attachments[:1]):
        if candidate.strip():
            return candidate.strip()
    return "(empty mail)"
