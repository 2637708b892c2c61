"""Which of a mail's text a person would see.

Plain text before HTML, unless the plain text only says to look at the HTML; what is attached is not text; a mail
forwarded as an attachment speaks when the outer one says nothing.
"""

from __future__ import annotations

import re

from bridge.mail import charset, clean, headers, html
from bridge.mail.mime import HTML, TEXT, Part, Reader
from bridge.mail.transfer import decoded

# Text that no mail program shows as text.
_NOT_SHOWN = frozenset(
    "text/calendar text/vcard text/x-vcard text/directory text/css text/javascript text/x-amp-html "
    "text/rfc822-headers".split()
)
_HTML_SOURCE = re.compile(r"\s*<(?:!doctype\s+html|html|head|body|table|div|meta|p|br|font|span|style)\b[^<>]*>", re.I)
_STUB = re.compile(r"(?i)\bhtml\b|view (?:it|this (?:e-?mail|message|mail)) (?:in|online|with)|в браузере")
_LETTER = re.compile(r"\w")


def text_of(root: Part, reader: Reader) -> str:
    """The visible text of a mail: its own, else that of a mail forwarded in it, else of a named text part."""
    text = _visible(root, reader)
    if not text.strip() and root.kind != "multipart/report" and (inner := _forwarded(root)) is not None:
        text = _heading(inner, reader) + _visible(inner, reader)
    if not text.strip() and root.kind.startswith("text/") and root.kind not in _NOT_SHOWN:
        text = _leaf(root, reader)  # a device that names its only text
    return text[:TEXT]


def _visible(part: Part, reader: Reader) -> str:
    if part.kind == "multipart/alternative":
        return _best(part, reader)
    if part.kind.startswith("multipart/"):
        texts = (_visible(below, reader) for below in part.parts)
        return "\n\n".join(text for text in texts if text.strip())
    if not part.kind.startswith("text/") or part.kind in _NOT_SHOWN:
        return ""
    return "" if part.name or part.disposition == "attachment" else _leaf(part, reader)


def _best(part: Part, reader: Reader) -> str:
    """Plain text if it says something; the HTML when the plain text is empty or only says to look at the HTML."""
    best = ""
    for below in sorted(part.parts, key=lambda each: each.kind != "text/plain"):
        text = _visible(below, reader)
        if _LETTER.search(text) and not (below.kind == "text/plain" and len(text) < 300 and _STUB.search(text)):
            return text
        best = best or text
    return best


def _forwarded(part: Part) -> Part | None:
    waiting = [part]
    while waiting:
        below = waiting.pop()
        if below.kind in ("message/rfc822", "message/global") and below.parts:
            return below.parts[0]
        waiting += reversed(below.parts)
    return None


def _heading(inner: Part, reader: Reader) -> str:
    """``Subject:`` and ``From:`` of a forwarded mail, so that rules and producers find them in the text."""
    lines = []
    for wanted in ("subject", "from"):
        raw = next((value for name, value in inner.fields if name == wanted), b"")
        if text := headers.text_of(raw, inner.charset, reader.default_charset):
            lines.append(f"{wanted.capitalize()}: {text}")
    return "\n".join([*lines, "", ""]) if lines else ""


def _leaf(part: Part, reader: Reader) -> str:
    if reader.text <= 0:
        return ""
    raw, trouble = decoded(part.body, part.encoding)
    reader.trouble(trouble)
    is_html = part.kind == "text/html"
    most = min(reader.html, HTML) if is_html else reader.text * 4
    if len(raw) > most:
        reader.trouble("HTML cut at 100 kB" if is_html else "text cut at 256 kB")
    text, reader.read_as, trouble = charset.decode(_whole_letters(raw, most), part.charset, reader.default_charset)
    reader.trouble(trouble)
    if is_html or (raw[:200].lstrip()[:1] == b"<" and _HTML_SOURCE.match(text)):
        reader.html -= len(raw)
        text = html.text_of(text[:HTML])
    else:
        text = _unflowed(text, part.flowed == "delsp") if part.flowed else text
    text = clean.block(text)
    if len(text) > reader.text:
        reader.trouble("text cut at 256 kB")
    text = text[: reader.text]
    reader.text -= len(text)
    return text


def _whole_letters(raw: bytes, most: int) -> bytes:
    """The first *most* bytes, without half a UTF-8 letter at their end."""
    if len(raw) <= most:
        return raw
    end = max(most, 0)
    while end and raw[end] & 0xC0 == 0x80:
        end -= 1
    return raw[:end]


def _unflowed(text: str, delete_space: bool) -> str:
    """Lines that a mail program broke are joined again (RFC 3676 §4): a blank at the end means "goes on"."""
    out: list[str] = []
    for row in text.replace("\r\n", "\n").split("\n"):
        row = row.removeprefix(" ")
        goes_on = row.endswith(" ") and row != "-- " and not row.startswith(">")
        out.append(row[:-1] if goes_on and delete_space else row if goes_on else row + "\n")
    return "".join(out)
