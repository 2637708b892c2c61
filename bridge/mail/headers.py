"""Header fields: cut from the mail, unfolded, decoded, and the few that have a grammar.

RFC 5322 §2.2 (fields), RFC 2047 (encoded words, here with the habits of senders who never read it), RFC 2231
(parameters). Decoded CR and LF become a blank (T11); what is not text afterwards is removed (T23).
"""

from __future__ import annotations

import binascii
import re
from email.utils import collapse_rfc2231_value, decode_params

from bridge.mail import charset, clean

HEADERS = 100_000  # bytes of a header block that are read
VALUE = 10_000  # bytes of one value that are read: no longer one carries meaning
ADDRESS = 2_000  # bytes of an address field
FIELDS = 1_000

Field = tuple[str, bytes]  # lower-case name, raw value with its folding

_NAME = re.compile(rb"[!-9;-~]{1,80}\s*\Z")
_WORD = re.compile(
    r"=\?([^\s?=]{1,60})\?"
    r"(?:[bB]\?(?P<b>[A-Za-z0-9+/=\s_-]{0,4000})\?="
    r"|[qQ]\?(?P<q>.{0,1000}?)\?=(?![0-9A-F]{2})"  # "?=3D" is a question mark and an encoded "="
    r"|[qQ]\?(?P<p>.{0,1000}?)\?=)"
)
_ANGLE = re.compile(r"<\s*([^<>\s]{1,400}@[^<>\s]{1,255})\s*>")
_BARE = re.compile(r"[^\s<>,;:\"()\[\]]{1,400}@(?:[^\s<>,;:\"()\[\]]{1,255}|\[(?:IPv6:)?[0-9A-Fa-f:.]{1,60}\])")
_ID = re.compile(r"<[^<>\s]{1,500}>")
_ESCAPED = re.compile(r"\\([\"\\])")  # only these two: senders of "C:\log.txt" know no escapes
_PARAMETER = re.compile(r";\s*([^\s=;]{1,80})\s*=\s*(\"(?:[^\"\\]|\\.){0,2000}\"|[^;]{0,2000})")


def cut(content: bytes) -> tuple[list[Field], bytes, list[str]]:
    """Fields of *content* (line ends are ``\\n``), its body, and what was wrong.

    A line that is no field ends the header even without an empty line before it; a leading mbox line is passed over.
    """
    content = content.lstrip(b"\n")
    end = content.find(b"\n\n")
    end = len(content) if end < 0 else end
    troubles = []
    block = content[:end]
    if end > HEADERS:
        troubles.append("headers cut at 100 kB")
        block = content[: max(content.rfind(b"\n", 0, HEADERS), 0)]
    fields: list[Field] = []
    at = 0
    for row in block.split(b"\n"):
        if row[:1] in (b" ", b"\t") and fields:
            fields[-1] = (fields[-1][0], fields[-1][1] + b"\n" + row) if len(fields[-1][1]) < VALUE else fields[-1]
        else:
            name, colon, value = row.partition(b":")
            if colon and _NAME.match(name):
                if len(fields) < FIELDS:
                    fields.append((name.strip().lower().decode("ascii"), value))
            elif at or not row.startswith((b"From ", b">From ")):
                troubles.append("no empty line after the header")
                return fields, content[at:], troubles
        at += len(row) + 1
    return fields, content[end + 2 :], troubles


def text_of(raw: bytes, declared: str = "", default: str | None = None) -> str:
    """A raw value as one clean line; raw 8-bit bytes are read as a text of that charset would be."""
    raw = raw[:VALUE]
    text = raw.decode("ascii") if raw.isascii() else charset.decode(raw, declared, default).text
    return clean.line(words(text) if "=?" in text else text)


def words(text: str) -> str:
    """*text* with its encoded words decoded.

    Words that stand side by side are joined before decoding, because many senders cut a letter in two; a word that
    cannot be decoded stays as it was written.
    """
    out: list[str] = []
    end = 0
    pending: list[tuple[str, str, str]] = []
    for found in _WORD.finditer(text):
        between = text[end : found.start()]
        if between.strip() or not pending:
            out += [_joined(pending), between]
            pending = []
        kind, body = ("b", found["b"]) if found["b"] is not None else ("q", found["q"] or found["p"] or "")
        pending.append((found[1].partition("*")[0].lower(), kind, body))
        end = found.end()
    return "".join([*out, _joined(pending), text[end:]])


def _joined(pending: list[tuple[str, str, str]]) -> str:
    """Text of encoded words that stand side by side."""
    out: list[str] = []
    data = b""
    begun = ""  # base64 that was cut within a group of four
    for at, (name, kind, body) in enumerate(pending):
        following = pending[at + 1] if at + 1 < len(pending) else ("", "", "")
        if kind == "b":
            body = begun + re.sub(r"\s", "", body)
            begun = ""
            if len(body) % 4 and "=" not in body and following[:2] == (name, "b"):
                begun = body
                continue
            data += unbase64(body.encode())
        else:
            data += binascii.a2b_qp(body.encode("utf-8", "replace"), header=True)
        if following[0] != name:
            out.append(charset.decode(data, name).text)
            data = b""
    return "".join(out)


def unbase64(data: bytes) -> bytes:
    """Bytes of base64, whatever is wrong with its length; letters outside the alphabet are passed over."""
    data = data.replace(b"-", b"+").replace(b"_", b"/")
    data = re.sub(rb"[^A-Za-z0-9+/]", b"", data)
    data = data[: len(data) - 1] if len(data) % 4 == 1 else data
    return binascii.a2b_base64(data + b"=" * (-len(data) % 4))


def address(raw: bytes, default: str | None = None) -> tuple[str, str]:
    """First address of a From-like field in lower case, and the name beside it; ``""`` for what is not there.

    The structure is looked at before decoding, so that a name cannot pretend to be an address; only a field without
    any address is decoded as a whole (devices encode the whole field).
    """
    raw = raw[:ADDRESS]
    text = raw.decode("ascii") if raw.isascii() else charset.decode(raw, "", default).text
    text = " ".join(text.split())
    for candidate in (text, words(text)) if "=?" in text else (text,):
        if angle := _ANGLE.search(_without_quoted(candidate)):
            return clean.line(angle[1]).lower(), _name(candidate[: angle.start()])
        if bare := _BARE.search(candidate):
            comment = candidate.partition("(")[2].partition(")")[0]  # "zabbix@example.kz (Zabbix)"
            return clean.line(bare[0]).lower(), _name(comment)
    return "", _name(text)


def _without_quoted(text: str) -> str:
    """*text* with quoted strings made blank, positions kept: ``"<a@b>" <c@d>`` is written by c@d."""
    return re.sub(r'"(?:[^"\\]|\\.)*"', lambda found: " " * len(found[0]), text) if '"' in text else text


def _name(text: str) -> str:
    text = text.strip(" ,")
    if len(text) > 1 and text[0] == text[-1] == '"':
        text = _ESCAPED.sub(r"\1", text[1:-1])
    return clean.line(words(text) if "=?" in text else text)[:200]


def ids(text: str) -> tuple[str, ...]:
    """Message ids of a decoded field, with angle brackets, without doubles, at most 50 (the first and the last 49)."""
    found = tuple(dict.fromkeys(_ID.findall(text)))
    return found if len(found) <= 50 else (found[0], *found[-49:])


def parameters(raw: bytes) -> tuple[str, dict[str, str]]:
    """``type/subtype`` (or disposition) in lower case and its parameters, RFC 2231 pieces joined and decoded."""
    text = raw[:VALUE].decode("ascii") if raw.isascii() else charset.decode(raw[:VALUE]).text
    text = " ".join(text.split())
    main, semicolon, _ = text.partition(";")
    kind = main.strip().strip('"').lower()
    if not semicolon:
        return kind, {}
    given = {name.lower(): _unquoted(value) for name, value in reversed(_PARAMETER.findall(text[len(main) :]))}
    if "*" not in "".join(given):
        return kind, given
    return kind, _rfc2231(given)


def _rfc2231(given: dict[str, str]) -> dict[str, str]:
    try:
        pieces = decode_params([("", ""), *given.items()])[1:]
        return {name.partition("*")[0]: _plain(value) for name, value in pieces}
    except (ValueError, LookupError, TypeError, AttributeError):  # odd numbers and quotes; 3.11 raises all four
        return {name.partition("*")[0]: value for name, value in given.items()}


def _plain(value: object) -> str:
    if not isinstance(value, tuple):
        return _unquoted(str(value))
    name = charset.known(value[0] or "")
    return collapse_rfc2231_value((name or "utf-8", value[1] or "", _unquoted(value[2])), errors="replace")


def _unquoted(value: str) -> str:
    value = value.strip()
    if value.startswith('"'):
        return _ESCAPED.sub(r"\1", value.removeprefix('"').removesuffix('"'))
    return value
