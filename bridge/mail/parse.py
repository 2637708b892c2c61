"""``parse``: an envelope's bytes become an :class:`~bridge.model.Email`. Pure, bounded, and it never raises.

Everything later rests on that promise: a mail nobody understands must still alert. What was cut or guessed stands in
``Email.problems`` for the trail. How broken mail is read: ``docs/explanation/reading-a-mail.md``.
"""

from __future__ import annotations

from bridge.mail import clean, headers, mime, visible
from bridge.mail.automatic import never_answered
from bridge.mail.headers import Field
from bridge.mail.html import strip_tags
from bridge.model import Email, Envelope

CONTENT = 4_000_000  # bytes that are looked at; text stands before attachments in every mail that was ever seen
_FALLBACK_TEXT = 10_000  # characters of a mail that could not be read

# What code for mail raises on odd input. UnicodeError and binascii.Error are ValueErrors, KeyError is a LookupError.
_ODD = (IndexError, LookupError, AttributeError, ValueError, TypeError, RecursionError, OverflowError)


def parse(envelope: Envelope, default_charset: str | None = None) -> Email:
    """Read one mail; *default_charset* is for text that declares none. Takes any bytes and never raises.

    A mail that the reader stumbles over is cut into header and body by bytes, and its problems say so.
    """
    try:
        return _read(envelope, default_charset)
    except _ODD as error:
        return _by_bytes(envelope, f"read by bytes only ({type(error).__name__})")


def _read(envelope: Envelope, default_charset: str | None) -> Email:
    content = envelope.content[:CONTENT]
    reader = mime.Reader(default_charset)
    fields, body, troubles = headers.cut(_lines(content))
    for trouble in troubles:
        reader.trouble(trouble)
    if len(envelope.content) > CONTENT:
        reader.trouble("only the first 4 MB were read")
    root = mime.tree(fields, body, reader)
    text = visible.text_of(root, reader)
    return _email(envelope, fields, root, text, reader)


def _lines(content: bytes) -> bytes:
    """*content* with ``\\n`` as its only line end. A lone CR ends a line only where nothing else does."""
    if b"\r" not in content:
        return content
    return content.replace(b"\r\n", b"\n") if b"\n" in content else content.replace(b"\r", b"\n")


def _email(envelope: Envelope, fields: list[Field], root: mime.Part, text: str, reader: mime.Reader) -> Email:
    """*text* is clean. Raw 8-bit headers are read in the charset of the body: declared, or as it turned out."""
    first = dict(reversed(fields))
    default, declared = reader.default_charset, root.charset or reader.read_as
    decoded: dict[str, list[str]] = {}
    for name, value in fields:
        decoded.setdefault(name, []).append(headers.text_of(value, declared, default))
    given = {name: tuple(values) for name, values in decoded.items()}
    if len(given.get("from", ())) > 1:
        reader.trouble("more than one From")
    from_address, from_name = headers.address(first.get("from", b""), declared or default)
    return Email(
        from_address=from_address,
        from_name=from_name,
        subject=_one(given, "subject"),
        text=text,
        headers=given,
        message_id=_message_id(_one(given, "message-id")),
        references=headers.ids(" ".join(given.get("references", ()) + given.get("in-reply-to", ()))),
        date=_one(given, "date"),
        attachments=mime.attachments(root),
        size=len(envelope.content),
        automatic=never_answered(given, envelope),
        problems=tuple(reader.troubles),
    )


def _one(given: dict[str, tuple[str, ...]], name: str) -> str:
    return given.get(name, ("",))[0]


def _message_id(value: str) -> str:
    found = headers.ids(value)
    if found:
        return found[0]
    return f"<{value.strip('<>')}>" if value.strip("<>") and " " not in value and len(value) <= 500 else ""


def _by_bytes(envelope: Envelope, trouble: str) -> Email:
    """Header and body cut at the first empty line, everything as UTF-8 with what is none replaced."""
    head, _, body = _lines(envelope.content[:CONTENT]).partition(b"\n\n")
    given: dict[str, tuple[str, ...]] = {}
    for row in head[: headers.HEADERS].decode("utf-8", "replace").split("\n"):
        name, colon, value = row.partition(":")
        if colon and name.strip() and " " not in name.strip():
            given.setdefault(name.strip().lower(), (clean.line(value),))
    text = body[: 4 * _FALLBACK_TEXT].decode("utf-8", "replace")
    sender = _one(given, "from")
    address = sender[sender.rfind("<") + 1 :].partition(">")[0].strip().lower()
    return Email(
        from_address=address if "@" in address and " " not in address else "",
        from_name="",
        subject=_one(given, "subject"),
        text=clean.block(strip_tags(text) if "<html" in text.lower() else text)[:_FALLBACK_TEXT],
        headers=given,
        message_id=_message_id(_one(given, "message-id")),
        references=(),
        date=_one(given, "date"),
        attachments=(),
        size=len(envelope.content),
        automatic=never_answered(given, envelope),
        problems=(trouble,),
    )
