"""The nouns of the bridge: small, frozen, typed, without behaviour that needs anything else.

Words are those of ``docs/flow.md``: an *envelope* becomes an *email*, its *events* meet *rules* and become
*routes*; what dispatch decides is a *plan* of *incidents*, *notifications*, *messages*, *timers* and mails.
All times are aware and in UTC. A phone is E.164 with its plus sign (``+77010000001``).
"""

from bridge.model.happening import Call, Due, Failed, Happening, Order, Receipt, Reply, Started, Timer, Trouble
from bridge.model.incident import (
    Conversation,
    Held,
    Incident,
    Notification,
    Override,
    PlainWord,
    Silence,
    Stop,
    Tally,
    Unsubscribed,
)
from bridge.model.mail import Email, Envelope, Event, Recipient, StoredMail
from bridge.model.message import CallSlot, Message, Notice, OutgoingMail, WayText
from bridge.model.money import Spend, Spent
from bridge.model.plan import Fate, JournalEntry, Plan
from bridge.model.reading import Marks, Reading, Route, RoutedEvent, Thread, Visit
from bridge.model.words import (
    CHANNELS,
    CLASSES,
    SEVERITIES,
    STATES,
    Channel,
    Door,
    Encoding,
    IncidentState,
    MailState,
    MessageClass,
    MessageState,
    Severity,
    State,
    SubmissionState,
    TroubleKind,
    Way,
)

__all__ = [
    "CHANNELS",
    "CLASSES",
    "SEVERITIES",
    "STATES",
    "Call",
    "CallSlot",
    "Channel",
    "Conversation",
    "Door",
    "Due",
    "Email",
    "Encoding",
    "Envelope",
    "Event",
    "Failed",
    "Fate",
    "Happening",
    "Held",
    "Incident",
    "IncidentState",
    "JournalEntry",
    "MailState",
    "Marks",
    "Message",
    "MessageClass",
    "MessageState",
    "Notice",
    "Notification",
    "Order",
    "OutgoingMail",
    "Override",
    "PlainWord",
    "Plan",
    "Reading",
    "Receipt",
    "Recipient",
    "Reply",
    "Route",
    "RoutedEvent",
    "Severity",
    "Silence",
    "Spend",
    "Spent",
    "Started",
    "State",
    "Stop",
    "StoredMail",
    "SubmissionState",
    "Tally",
    "Thread",
    "Timer",
    "Trouble",
    "TroubleKind",
    "Unsubscribed",
    "Visit",
    "Way",
    "WayText",
]
