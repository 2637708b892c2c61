"""What command_status and the words of receipts mean at smsc over SMPP. Pure tables.

The provider documents none of the refusals, so those of SMPP 3.4 §5.1.3 are read as the standard has them; a number
that the standard does not have is temporary, keeps its raw form, and is reported once by whoever submits.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

from bridge.errors import DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers import smsc_codes
from bridge.providers.base import StatusAnswer
from bridge.providers.smsc_codes import SAME_REQUEST_PAUSE, Meaning
from bridge.smpp import pdu
from bridge.smpp.receipts import Receipt

BUSY = frozenset({pdu.THROTTLED, pdu.QUEUE_FULL})
"""Not now: the same PDU again after a pause; nothing was taken."""

LOGIN_REFUSED = frozenset({pdu.BIND_FAILED, pdu.WRONG_PASSWORD, pdu.WRONG_SYSTEM_ID})
"""Of a bind: trying on would only get the address blocked."""

_LATER: Mapping[int, str] = {
    pdu.SYSTEM_ERROR: "an error inside the provider",
    pdu.APPLICATION_BUSY: "the provider's application is busy",
    0x15: "the provider's service is not there",
    0xFE: "the provider could not hand it over",
    0xFF: "an error the provider does not explain",
}
_REFUSALS: Mapping[int, Meaning] = {
    0x01: Meaning("the text is too long for the provider", "5.6.0"),
    0x02: Meaning("the provider does not understand the request", "5.5.4"),
    0x03: Meaning("the provider does not understand the request", "5.5.4"),
    0x06: Meaning("the priority is wrong", "5.5.4"),
    0x07: Meaning("the provider wants no receipts asked for", "5.5.4"),
    pdu.WRONG_SOURCE: Meaning("the sender name is forbidden", "5.7.1"),
    pdu.WRONG_DESTINATION: Meaning("the number is wrong", "5.1.3"),
    0x33: Meaning("the provider does not understand the recipient", "5.1.3"),
    0x40: Meaning("the provider does not understand the recipient", "5.1.3"),
    0x42: Meaning("the provider does not take parts of a text like this", "5.5.4"),
    0x43: Meaning("the provider does not take parts of a text like this", "5.5.4"),
    pdu.SUBMIT_FAILED: Meaning("refused without a reason: money, text or sender name", "5.7.1"),
    0x48: Meaning("the kind of sender is wrong", "5.5.4"),
    0x49: Meaning("the kind of sender is wrong", "5.5.4"),
    0x50: Meaning("the kind of recipient is wrong", "5.5.4"),
    0x51: Meaning("the kind of recipient is wrong", "5.5.4"),
    0x53: Meaning("the provider does not know this type of system", "5.5.4"),
    0x61: Meaning("the provider does not understand the date", "5.5.4"),
    0x62: Meaning("the provider does not understand the validity", "5.5.4"),
    0x65: Meaning("the provider's application refuses it", "5.7.1"),
    0x66: Meaning("the provider's application refuses it", "5.7.1"),
    0xC0: Meaning("the provider does not take an option", "5.5.4"),
    0xC1: Meaning("the provider does not take an option", "5.5.4"),
    0xC2: Meaning("the provider does not take an option", "5.5.4"),
    0xC3: Meaning("the provider misses an option", "5.5.4"),
    0xC4: Meaning("the provider does not take an option", "5.5.4"),
}
_ABOUT_ADDRESSES = frozenset({pdu.WRONG_SOURCE, pdu.WRONG_DESTINATION})

_WORDS: Mapping[str, str] = {
    "DELIVRD": "1", "EXPIRED": "3", "UNDELIV": "20", "DELETED": "20", "REJECTD": "23", "SKIPPED": "20",
    "ACCEPTD": "0", "ENROUTE": "0", "SCHEDULED": "-1",
}  # fmt: skip
_MOSCOW = timezone(timedelta(hours=3))  # dates of receipts; as everywhere at this provider, assumed


def refused(status: int, *, repeat: bool) -> DeliveryError:
    """The error for *status* of a submit_sm_resp.

    After an attempt without an outcome (*repeat*) a refusal may be that of a double, which proves nothing; what is
    said about addresses and pace can only be meant for this request.
    """
    code = f"{status:#06x}"
    if status in BUSY:
        return NotSent("the provider takes no more for now", code=code, retry_after=5.0)
    if status == pdu.WRONG_STATE:  # the peer no longer knows our bind
        return NotSent("the provider does not know this link any more", retry_after=1.0)
    meaning = _REFUSALS.get(status)
    if repeat and not (meaning is not None and status in _ABOUT_ADDRESSES):
        return OutcomeUnknown("the repeat was refused, perhaps as a double", code=code)
    if meaning is not None:
        return PermanentFailure(meaning.sentence, code=code, status=meaning.status)
    if status in _LATER:
        return TemporaryFailure(_LATER[status], code="", retry_after=5.0)
    return TemporaryFailure(f"status {code}, which nobody has explained", code=code, retry_after=SAME_REQUEST_PAUSE)


def may_be_money(refusal: DeliveryError) -> bool:
    """Whether *refusal* gives no reason, or one that nobody knows: no status is documented for an empty account."""
    unknown = isinstance(refusal, TemporaryFailure) and refusal.code != ""
    return unknown or refusal.code == f"{pdu.SUBMIT_FAILED:#06x}"


def answer(said: Receipt, phone: str) -> StatusAnswer:
    """A receipt as every other status of this provider: its words stand for the numbers of its HTTP pages.

    A word that nobody knows means that the message is there and under way; it is kept as it came.
    """
    code = _WORDS.get(said.stat, said.stat or "0")
    return StatusAnswer(
        state=smsc_codes.state(code),
        code=code,
        error=said.error,
        at=_utc(said.done),
        cost=Decimal(said.cost) if said.cost else None,
        phone=phone,
    )


def _utc(moment: datetime | None) -> datetime | None:
    """A date of the provider's, which has no zone."""
    return None if moment is None else moment.replace(tzinfo=_MOSCOW).astimezone(UTC)
