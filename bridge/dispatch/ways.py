"""What a message shows by the ways besides SMS: the rule's wishes for Viber, WhatsApp and VK, filled in.

Texts and values are filled in like the SMS; words and URLs of buttons and pictures leave as the rule has them: a mail
has no say in them (threats T16). There is room for a thousand characters, so what gives way in an SMS is kept here;
only what is longer is cut, and what gives way goes first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bridge.book import RuleBook
from bridge.model import WayText
from bridge.render.texts import Text, render
from bridge.render.variables import Variables
from bridge.routing.rules import Action
from bridge.sms.clean import clean
from bridge.sms.cutting import cut
from bridge.sms.danger import defuse
from bridge.sms.pieces import Piece

MOST = 1000  # characters of a text by Viber or WhatsApp


@dataclass(frozen=True, slots=True)
class Reader:
    """For whom it is written, and what there is to fill in."""

    said: Variables
    language: str
    zone: ZoneInfo
    now: datetime


def ways_of(book: RuleBook, rule: str, action: Action, reader: Reader, *, own_text: bool) -> tuple[WayText, ...]:
    """The ways that show something of their own in an alert of *rule*; with *own_text* (a step wrote the text of the
    SMS) they show that. Raises RenderFailed.
    """
    texts = {} if own_text else book.way_texts(rule)

    def filled(name: str) -> str:
        text = texts.get(name)
        return "" if text is None else within(_rendered(book, text, reader), MOST)

    found: list[WayText] = []
    if (viber := action.viber) is not None:
        words = _in_language(viber.button.text, reader.language, book.config.language) if viber.button else ""
        button = (words, viber.button.url) if viber.button else ("", "")
        found.append(WayText("viber", filled("viber"), viber.validity, button, viber.image or ""))
    if (whatsapp := action.whatsapp) is not None:
        found.append(WayText("whatsapp", filled("whatsapp"), whatsapp.validity, image=whatsapp.image or ""))
    if (vk := action.vk) is not None and not own_text:
        values = tuple((name, filled(f"vk.{name}")) for name in vk.values)
        found.append(WayText("vk", template=vk.template, values=values))
    return tuple(found)


def timed(action: Action) -> tuple[WayText, ...]:
    """The ways of what is no alert: its own text everywhere, tried as long as the rule says."""
    found: list[WayText] = []
    if action.viber is not None and action.viber.validity is not None:
        found.append(WayText("viber", validity=action.viber.validity))
    if action.whatsapp is not None and action.whatsapp.validity is not None:
        found.append(WayText("whatsapp", validity=action.whatsapp.validity))
    return tuple(found)


def _rendered(book: RuleBook, text: Text, reader: Reader) -> Sequence[Piece]:
    otherwise = book.config.language
    return render(
        text, reader.said, language=reader.language, zone=reader.zone, now=reader.now, otherwise=otherwise
    )  # fmt: skip


def within(pieces: Sequence[Piece], most: int) -> str:
    """*pieces* as one clean text of at most *most* characters; of those that give way the first give way first."""
    texts = [piece.text for piece in pieces]
    over = sum(map(len, texts)) - most
    for n in sorted(range(len(texts)), key=lambda n: (-pieces[n].gives_way, -n)):
        if over <= 0 or pieces[n].gives_way < 0:
            break
        shorter = cut(texts[n], max(0, len(texts[n]) - over))
        over -= len(texts[n]) - len(shorter)
        texts[n] = shorter
    return defuse(cut(clean("".join(texts)), most))


def _in_language(texts: Mapping[str, str], *wanted: str) -> str:
    """The words of a button in the first language of *wanted* that it has, else in its first."""
    return next((texts[language] for language in (*wanted, "") if language in texts), next(iter(texts.values())))
