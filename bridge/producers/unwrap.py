"""What a producer wrote, without what gateways and colleagues put around it.

A company's gateway warns above the text and disclaims below it; a colleague forwards the whole in his own mail. Packs
see neither. Only paragraphs that say so in well-known words go, at the edges of the text, and never all of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import re2

from bridge.model import Email
from bridge.producers.sender import bare_subject, subjects

_EDGE = 4_000  # characters at either end of a text in which the words of gateways are looked for

# The lines that a mail program puts before a mail it forwards, in the languages of our neighbours.
_FROM = "from|от|від|кімнен|von"
_OTHERS = "to|cc|date|sent|subject|reply-to|кому|копия|дата|отправлено|тема|копія|надіслано|кімге|тақырып|betreff|an"
_HEADING = re2.compile(
    rf"(?im)^[>* ]*(?:subject|тема|тақырып|betreff|{_FROM})\*?:\*? ?\S.*(?:\n[>* ]*(?:{_FROM}|{_OTHERS})\*?:.*)+\n"
)
_LONE = re2.compile(r"(?i)\A(?:subject|from): \S.*\n\n")  # what our own reader puts before an attached mail
_SUBJECT = re2.compile(r"(?im)^[>* ]*(?:subject|тема|тақырып|betreff)\*?:\*? ?(\S.*)$")
_SENDER = re2.compile(rf"(?im)^[>* ]*(?:{_FROM})\*?:.*?([^\s<>\"':;,()\[\]]{{1,64}}@[^\s<>\"':;,()\[\]]{{1,255}})")
_WARNS = re2.compile(
    r"(?i)\A[*\[\s]*(?:(?:caution|warning|\[?external\]?|external (?:e-?mail|sender|message))\b[^\n]*?"
    r"\b(?:outside|external|unknown sender|unless you)\b"
    r"|(?:внимание|осторожно|увага)[^\n]*?(?:внешн|извне|зовнішн))[^\n]*(?:\n[^\n]+)*\n+"
)
_DISCLAIMS = re2.compile(
    r"(?i)\n[-_*= \n]*(?:confidentiality notice|disclaimer:"
    r"|this (?:e-?mail|message|communication)\b[^\n]{0,80}?\b(?:is|are|may|contains?)\b[^\n]{0,120}?"
    r"\b(?:confidential|privileged|intended)"
    r"|(?:это|данное|настоящее) (?:электронное )?(?:сообщение|письмо)[^\n]{0,120}?конфиденциальн"
    r"|(?:це|дане) (?:електронне )?(?:повідомлення|лист)[^\n]{0,120}?конфіденційн)"
)


@dataclass(frozen=True, slots=True)
class Bare:
    """A mail as its producer sent it, as far as that can be told."""

    subjects: tuple[str, ...]  # bare: of a forwarded mail that of the forwarded one, the mail's own, others in its text
    sender: str  # the header From, of a forwarded mail that of the forwarded one
    text: str


def unwrapped(email: Email) -> Bare:
    """*email* without its wrappings. Linear in the edges of the text, whatever it holds."""
    text, sender = email.text, email.from_address
    inner: tuple[str, ...] = ()
    head = text[:_EDGE]
    heading = _HEADING.search(head) or _LONE.search(head)
    if heading is not None and text[heading.end() :].strip():
        if found := _SENDER.search(heading[0]):
            sender = found[1].lower()
        if found := _SUBJECT.search(heading[0]):
            inner = (bare_subject(found[1]),)
        text = text[heading.end() :].lstrip()
    given = tuple(dict.fromkeys((*inner, *subjects(email))))
    return Bare(given, sender, _without_disclaimer(_without_warning(text)))


def _without_warning(text: str) -> str:
    found = _WARNS.search(text[:_EDGE])
    return text[found.end() :] if found is not None and text[found.end() :].strip() else text


def _without_disclaimer(text: str) -> str:
    begin = max(0, len(text) - _EDGE)
    found = _DISCLAIMS.search(text[begin:])
    if found is None or not text[: begin + found.start()].strip():
        return text
    return text[: begin + found.start()].rstrip()
