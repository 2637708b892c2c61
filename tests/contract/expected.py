"""What doors expect of faults, in groups that mean the same to most of them.

The names are those of ``faults.catalogue``. A name that stands in no group of a door is a fault it has forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.contract.kit import Seen

HARMLESS = ("healthy", "delay=0.2", "drip=0.001", "drop=answered", "unbind", "fate=read", "fate=link", "err=200",
            "receipts=lost", "receipts=twice", "receipts=reversed", "receipt_delay=400.0")  # fmt: skip
UNREPORTED = ("fate=waiting", "receipts=none")
EXPIRED = ("fate=expired",)
STOPPED = ("fate=stopped",)
OTHER_ID = ("answer=other id",)  # a good answer, about another message
UNDELIVERED = ("fate=undelivered", "fate=wrong_number", "fate=forbidden", "fate=no_money", "fate=unavailable",
               "fates=sms:undelivered,viber:undelivered", "fate=undelivered err=255")  # fmt: skip
REFUSED = ("refuse=1", "refuse=5", "refuse=6", "refuse=7", "refuse=8")
NOT_NOW = ("refuse=2", "refuse=3", "refuse=4", "refuse=9", "throttle=1")
LOST = ("silent", "silent unbind", "half", "drop=after", "answer=garbage", "answer=html", "answer=empty",
        "answer=html http_status=502", "answer=ok", "answer=huge", "answer=charset")  # fmt: skip
NEVER = ("drop=before", "take=false drop=after", "take=false silent", "take=false silent unbind")
HTTP_STATUS = ("http_status=302", "http_status=404", "http_status=451", "http_status=500", "http_status=503")
COMMAND_STATUS = tuple(f"command_status={code}" for code in ("0x8", "0xb", "0xd", "0x14", "0x45", "0x58", "0x4ff"))
LIAR = ("take refuse=3", "take refuse=9")  # says that it took nothing, and took it: what it says is believed

ARRIVES = Seen("ACCEPTED", 1, "DELIVERED", 1)
FOUND = Seen("UNKNOWN", 1, "DELIVERED", 1)
SENT_AGAIN = Seen("UNKNOWN", 0, "DELIVERED", 1)
HELD = Seen("UNKNOWN", 1, "HELD", 1)
HELD_BEFORE = Seen("UNKNOWN", 0, "HELD", 0)
WAITS = Seen("READY", 0, "READY", 0)
REJECTED = Seen("REJECTED", 0, "REJECTED", 0)
ACCEPTED = Seen("ACCEPTED", 1, "ACCEPTED", 1)


def each(names: Iterable[str], seen: Seen) -> dict[str, Seen]:
    """*seen* for all of *names*."""
    return dict.fromkeys(names, seen)


def over_http(
    *, lost: Seen = FOUND, never: Seen = SENT_AGAIN, status: Seen = ARRIVES, expired: Seen = ACCEPTED
) -> dict[str, Seen]:
    """Doors that ask over HTTP.

    *lost*: taken, but the answer was no answer. *never*: the request itself was lost (a fault of SMPP is a request
    nobody read). *status*: a good answer under a bad HTTP status. *expired*: the phone was away all the time.
    """
    return {
        **each(HARMLESS, ARRIVES),
        **each(UNREPORTED, ACCEPTED),
        **each(EXPIRED, expired),
        **each(UNDELIVERED, Seen("ACCEPTED", 1, "UNDELIVERED", 1)),
        **each((*STOPPED, *OTHER_ID), ACCEPTED),
        **each(REFUSED, REJECTED),
        **each(NOT_NOW, WAITS),
        **each(LOST, lost),
        **each((*NEVER, *COMMAND_STATUS), never),
        **each(HTTP_STATUS, status),
        **each(LIAR, Seen("READY", 1, "READY", 1)),
    }
