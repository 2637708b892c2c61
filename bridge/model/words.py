"""Words of a closed list: doors, severities, classes, channels, states (threats §2)."""

from __future__ import annotations

from typing import Literal

Door = Literal["smtp", "lmtp", "imap", "sendmail", "http", "folder", "smsc-mail", "smsc-http"]
Severity = Literal["info", "warning", "high", "critical"]
State = Literal["problem", "recovery", "update", "info"]
MessageClass = Literal["critical", "normal", "bulk"]
Channel = Literal["sms", "call", "flash", "viber"]
Way = Literal["viber", "whatsapp", "vk"]  # besides SMS, where a gateway tries several in turn
Encoding = Literal["GSM-7", "UCS-2"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "high", "critical")
STATES: tuple[State, ...] = ("problem", "recovery", "update", "info")
CHANNELS: tuple[Channel, ...] = ("sms", "call", "flash", "viber")
CLASSES: tuple[MessageClass, ...] = ("critical", "normal", "bulk")  # most urgent first
MailState = Literal["RECEIVED", "PLANNED", "DUPLICATE", "QUARANTINED"]
IncidentState = Literal["open", "acked", "resolved", "closed"]
MessageState = Literal[
    "READY", "INFLIGHT", "ACCEPTED", "ACCEPTED_NO_ID", "HANDED_OVER", "UNKNOWN", "REJECTED",
    "DELIVERED", "UNDELIVERED", "EXPIRED", "HELD", "CANCELLED",
]  # fmt: skip
TroubleKind = Literal[
    "account.money", "account.low", "account.password", "account.blocked", "gateway", "calendar",
    "account.well", "gateway.well",
]  # fmt: skip
SubmissionState = Literal["INFLIGHT", "NOT_SENT", "ACCEPTED", "REFUSED", "UNKNOWN"]
