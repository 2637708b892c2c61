"""What the words of smsgate mean: states of a message, texts of refusals.

Pure tables. Sources: the provider's cascade page (states) and the page of its older SMS API (texts; the cascade page
lists none). Texts are matched by a word in them, because every reseller may write them his way; what nobody has
explained is kept as it came.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import MessageState

SAME_REQUEST_PAUSE = 61.0
"""Seconds until an identical request may be made again: the page allows one a minute."""

_MOST_RAW = 100  # characters of a text that are kept


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word in a sentence, with the RFC 3463 status that a report shows for it."""

    sentence: str
    status: str


_STATES: Mapping[str, MessageState] = {
    "send": "ACCEPTED",  # of the whole: in work. Of one way: not sent by it
    "deliver": "DELIVERED",
    "read": "DELIVERED",
    "link": "DELIVERED",
    "not_deliver": "UNDELIVERED",
    "expired": "EXPIRED",
    "partly_deliver": "ACCEPTED",  # sent; nobody will ever say more
    "unsubscribe": "UNDELIVERED",
}
FINAL = frozenset(_STATES) - {"send"}
READ = frozenset({"read", "link"})
_MEANINGS: Mapping[str, Meaning] = {
    "not_deliver": Meaning("it could not be delivered in any of the ways", "5.1.2"),
    "expired": Meaning("the phone was off the network at every try", "5.4.7"),
    "partly_deliver": Meaning("sent, and no status will come", "5.4.7"),
    "unsubscribe": Meaning("the person wants nothing from this Viber sender", "5.7.1"),
}
_NOT_FOUND = re.compile(r"не принимал|не найден|not found")


def state(word: str) -> MessageState | None:
    """Our state for the state of a whole message; None for what is no state but the text of an error."""
    return _STATES.get(word)


def says_not_found(text: str) -> bool:
    """Whether the text that stands where a state should says that there is no such message."""
    return _NOT_FOUND.search(text.casefold()) is not None


def meaning(word: str) -> Meaning:
    """Why a message did not arrive."""
    return _MEANINGS.get(word, Meaning(f"state {word}", "5.0.0"))


UNPAID = "the account is empty, and the provider sends this message once it is paid"
LATER = "the provider says that it will send this message later"
"""Reasons of what is kept there: whoever tells of it must not say that no answer came."""


class KeptUnpaid(AccountPaused, OutcomeUnknown):
    """The account is empty, and the provider says that it keeps this very message and sends it once it is paid.

    It is both: nobody may be given the account, and nobody else this message as if nothing had been taken.
    """

    status = OutcomeUnknown.status


_Error = Callable[[str], DeliveryError]


def _permanent(sentence: str, status: str) -> _Error:
    return lambda raw: PermanentFailure(sentence, code=raw, status=status)


def _paused(sentence: str, cause: str) -> _Error:
    return lambda raw: AccountPaused(sentence, code=raw, cause=cause)


_MINUTE = re.compile(r"одинаков\w* запрос|identical request")
_DUPLICATE = re.compile(r"уже было отправлен|already (?:been )?sent")
_KEPT = re.compile(r"будет отправлен|will be sent")
_UNPAID = re.compile(r"средств|счет|счёт|оплат|баланс|balance|money|paid|funds")
_REFUSALS: tuple[tuple[re.Pattern[str], _Error], ...] = tuple(
    (re.compile(words), error)
    for words, error in (
        (
            r"недостаточно средств|закончились sms|закончились смс|insufficient",
            _paused("the account is empty", "money"),
        ),
        (r"логин|парол|токен|авториз|password|token|unauthorized", _paused("login or password is wrong", "password")),
        (r"аккаунт\w* заблокирован|account\w* (?:is )?blocked", _paused("the account is blocked", "blocked")),
        (r"стоп-?\s?лист|stop.?list", _permanent("the number is on the provider's stop list", "5.7.1")),
        (r"направление закрыто", _permanent("the account may not send to this country or network", "5.7.1")),
        (r"отправител|sender", _permanent("the provider does not allow this sender name", "5.7.1")),
        (r"модератор|модерац", _permanent("a moderator forbade the text", "5.7.1")),
        (r"номер\w* телефон|phone number", _permanent("the number is wrong", "5.1.3")),
        (r"нет текста|нет ссылки", _permanent("the provider finds no text", "5.5.4")),
        (r"формат|данные отсутствуют", _permanent("the provider does not understand the request", "5.5.4")),
    )
)


def is_known_error(text: str) -> bool:
    """Whether a text that stands alone is one of the refusals that are known, and not a page of somebody else."""
    folded = text.casefold()
    return any(found.search(folded) for found in (_MINUTE, _DUPLICATE, _KEPT, *(words for words, _ in _REFUSALS)))


def is_duplicate(text: str) -> bool:
    """Whether the provider says that it has a message of this number already."""
    return _DUPLICATE.search(text.casefold()) is not None


def is_kept(text: str) -> bool:
    """Whether the provider says that it has the message and sends it later: nobody can stop it."""
    return _KEPT.search(text.casefold()) is not None


def refused(text: str, *, repeat: bool) -> DeliveryError:
    """The error for the text of a refusal.

    With *repeat* (an earlier attempt has no proven outcome) a text that nobody has explained, that only says "not twice
    a minute", or that refuses the content proves nothing: the provider may look at the content before it looks at the
    number, so it says nothing of the first. On a first attempt nothing was taken.
    """
    raw, folded = shortened(text), text.casefold()
    if _MINUTE.search(folded):
        sentence = "the same request within a minute"
        if repeat:
            return OutcomeUnknown(sentence, code=raw)
        return NotSent(sentence, code=raw, retry_after=SAME_REQUEST_PAUSE)
    if is_kept(text):
        return _kept(raw)
    for words, error in _REFUSALS:
        if words.search(folded):
            refusal = error(raw)
            if repeat and isinstance(refusal, PermanentFailure):  # the first may have been taken before this was so
                return OutcomeUnknown(f"the repeat was refused: {refusal.reason}", code=raw)
            return refusal
    sentence = "an error that nobody has explained"
    if repeat:
        return OutcomeUnknown(sentence, code=raw)
    return TemporaryFailure(sentence, code=raw, retry_after=SAME_REQUEST_PAUSE)


def _kept(raw: str) -> OutcomeUnknown:
    if _UNPAID.search(raw.casefold()):
        return KeptUnpaid(UNPAID, code=raw, cause="money")
    return OutcomeUnknown(LATER, code=raw)


def question_refused(text: str) -> DeliveryError:
    """The error for the text that answers a question: the account's trouble, or ask again later."""
    error = refused(text, repeat=False)
    if isinstance(error, AccountPaused) and error.cause != "money":
        return error
    raw = shortened(text)
    return TemporaryFailure("the question was refused", code=raw, retry_after=SAME_REQUEST_PAUSE)


def shortened(text: str) -> str:
    """*text* as it came, on one line and of a length that can be kept."""
    plain = "".join(letter if letter.isprintable() else " " for letter in text)
    return " ".join(plain.removeprefix("error:").split())[:_MOST_RAW]
