"""What the numbers of smsc mean: errors of a request, states of a message, errors of the network.

Pure tables. Sources: the provider's pages on answers of send, on status codes and on errors of SMPP; what lies above
220 was seen in public clients only. Texts that come with a number are never matched.
"""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.model import MessageState

SAME_REQUEST_PAUSE = 61.0
"""Seconds until a request that was refused as a double (error 9) may be made again: the rule is one a minute."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """A number in words, with the RFC 3463 status that a report shows for it."""

    sentence: str
    status: str


_PAUSES: dict[str, tuple[str, str]] = {
    "2": ("password", "login or password is wrong, or this address is not on the account's list"),
    "3": ("money", "the account is empty"),
    "4": ("blocked", "this address is blocked for a while after too many wrong requests"),
}
_REFUSALS: dict[str, Meaning] = {
    "1": Meaning("the provider does not understand the request", "5.5.4"),
    "5": Meaning("the provider does not understand the date", "5.5.4"),
    "6": Meaning("the text or the sender name is forbidden", "5.7.1"),
    "7": Meaning("the number is wrong", "5.1.3"),
    "8": Meaning("the number cannot be reached", "5.1.2"),
}
_CALL_REFUSALS = {
    "1": "the provider does not understand the number",
    "5": "the number is on the account's black list",
    "6": "the account's settings allow no call of this number",
}
KNOWN_ERRORS = frozenset({*_PAUSES, *_REFUSALS, "9"})

_STATES: dict[str, MessageState | None] = {
    "-3": None,
    "-2": "ACCEPTED",
    "-1": "ACCEPTED",
    "0": "ACCEPTED",
    "1": "DELIVERED",
    "2": "DELIVERED",
    "3": "EXPIRED",
    "4": "DELIVERED",
    "20": "UNDELIVERED",
    "22": "UNDELIVERED",
    "23": "UNDELIVERED",
    "24": "UNDELIVERED",
    "25": "UNDELIVERED",
}
READ = frozenset({"2", "4"})  # read, or the short link in it was opened
_STATE_MEANINGS: dict[str, Meaning] = {
    "3": Meaning("the network could not deliver it in time", "5.4.7"),
    "20": Meaning("the network could not deliver it", "5.1.2"),
    "22": Meaning("the number is wrong", "5.1.3"),
    "23": Meaning("forbidden: a double, a flood, a black list, the spam filter or the sender name", "5.7.1"),
    "24": Meaning("the account is empty", "5.7.0"),
    "25": Meaning("the number takes no SMS, or there is no way to it", "5.1.2"),
}
_VIRTUAL = "200"
_NETWORK: dict[str, Meaning] = {
    "1": Meaning("the subscriber does not exist", "5.1.1"),
    "6": Meaning("the phone is off or out of reach", "5.4.1"),
    "11": Meaning("the subscriber has no SMS service", "5.2.1"),
    "12": Meaning("an error of the phone or its SIM", "5.2.0"),
    "13": Meaning("the subscriber is blocked", "5.2.1"),
    "21": Meaning("the phone does not support it", "5.6.1"),
    _VIRTUAL: Meaning("virtual sending: the account is in test mode", "2.0.0"),
    "219": Meaning("the SIM was replaced; sender names are blocked for a day", "5.7.1"),
    "220": Meaning("the operator's queue is full", "5.4.5"),
    "239": Meaning("the sender's address is forbidden", "5.7.1"),
    "240": Meaning("the subscriber is busy", "5.4.1"),
    "241": Meaning("not all parts were sent", "5.6.0"),
    "242": Meaning("an answering machine took the call", "5.2.0"),
    "243": Meaning("the account has no contract", "5.7.0"),
    "244": Meaning("mailings are forbidden", "5.7.1"),
    "245": Meaning("the network sent no status", "5.4.7"),
    "246": Meaning("forbidden at this hour", "5.7.1"),
    "247": Meaning("the limit of messages is reached", "5.7.1"),
    "248": Meaning("there is no way to the number", "5.1.2"),
    "249": Meaning("the number is wrong", "5.1.3"),
    "250": Meaning("the number is forbidden by the account's settings", "5.7.1"),
    "251": Meaning("the day's limit for one number is reached", "5.7.1"),
    "252": Meaning("the number is forbidden", "5.7.1"),
    "253": Meaning("the spam filter took it", "5.7.1"),
    "254": Meaning("the sender name is not registered", "5.7.1"),
    "255": Meaning("the operator refused it", "5.7.1"),
}


def refused(code: str, *, repeat: bool, detail: tuple[str, str] = ("", "")) -> DeliveryError:
    """The error for *code* of send.php. *detail*: status and error of the number itself, which say more.

    A double (9) proves nothing where an earlier attempt has no outcome; on a first attempt nothing was taken.
    An unknown number is temporary; its raw code is in the error, so that somebody can be told of it.
    """
    if code in _PAUSES:
        cause, sentence = _PAUSES[code]
        return AccountPaused(sentence, code=code, cause=cause)
    if general := _REFUSALS.get(code):
        said = meaning(*detail) if detail[0] in _STATE_MEANINGS or detail[1] in _NETWORK else general
        return PermanentFailure(said.sentence, code=code, status=said.status)
    if code == "9":
        sentence = "the same request within a minute, or too many at once"
        if repeat:
            return OutcomeUnknown(sentence, code=code)
        return NotSent(sentence, code=code, retry_after=SAME_REQUEST_PAUSE)
    return TemporaryFailure(f"error {code}, which nobody has explained", code=code, retry_after=SAME_REQUEST_PAUSE)


def question_refused(code: str) -> DeliveryError:
    """The error for *code* of status.php, balance.php and get.php: the account's trouble, or ask again later."""
    if code in ("2", "4"):
        cause, sentence = _PAUSES[code]
        return AccountPaused(sentence, code=code, cause=cause)
    return TemporaryFailure(f"the question was refused with error {code}", code=code, retry_after=SAME_REQUEST_PAUSE)


def call_refused(code: str) -> DeliveryError:
    """The error for *code* of wait_call.php, where 1, 5 and 6 are about this phone alone."""
    if code in _CALL_REFUSALS:
        return PermanentFailure(_CALL_REFUSALS[code], code=code)
    return question_refused(code)


def state(code: str) -> MessageState | None:
    """Our state for a status code; None is "not found". What is not known exists and is under way."""
    return _STATES.get(code, "ACCEPTED")


def is_virtual(error: str) -> bool:
    """Whether the account is in test mode: everything is "delivered", and nothing reaches a phone."""
    return error == _VIRTUAL


def meaning(code: str, error: str) -> Meaning:
    """Why a message did not arrive: the network's error says more than the status; unknown ones are shown raw."""
    if error not in ("", "0"):
        return _NETWORK.get(error, Meaning(f"error {error} of the network", "5.0.0"))
    return _STATE_MEANINGS.get(code, Meaning(f"status {code}", "5.0.0"))
