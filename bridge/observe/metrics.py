"""Every figure the bridge shows under ``/metrics``: names, units and labels in one place.

Labels hold words of ours and names of the configuration, never anything a mail or a provider wrote: what a
stranger can invent would grow without end.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import CounterMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

M = TypeVar("M", Counter, Gauge, Histogram)
_ANSWER = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5)  # seconds a sender waits for its 250
_STAGE = (0.0001, 0.0002, 0.0004, 0.0008, 0.0016, 0.0032, 0.0064, 0.0128, 0.1, 1)
_NETWORK = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25)
_WAIT = (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600)
_BATCH = (1, 2, 4, 8, 16, 32, 64)


@dataclass(frozen=True, slots=True)
class Described:
    """One line of the reference."""

    name: str
    kind: str  # counter, gauge, histogram
    labels: tuple[str, ...]
    meaning: str


class Metrics:
    """The figures of one process, in a registry of its own."""

    def __init__(self, version: str = "") -> None:
        self.registry = CollectorRegistry()
        self._described: list[Described] = []
        ProcessCollector(namespace="smsbridge", registry=self.registry)
        build = self._gauge("build_info", "Always 1; the label says which version runs.", "version")
        build.labels(version).set(1)
        self._doors()
        self._reading()
        self._messages()
        self._returns()
        self._money()
        self._standing()

    @property
    def described(self) -> tuple[Described, ...]:
        """All of them, for the reference page."""
        return tuple(self._described)

    def door(self, door: str) -> DoorMeter:
        """The counters of one mail door."""
        return DoorMeter(self, door)

    def show_waiting(self, waiting: Mapping[tuple[str, str], int]) -> None:
        """How many messages are in each (state, class) now; what is not named is 0."""
        self.messages_waiting.clear()
        for (state, message_class), count in waiting.items():
            self.messages_waiting.labels(state, message_class).set(count)

    def show_commits(self, commits: Callable[[], tuple[int, int]], waiting: Callable[[], int]) -> None:
        """Let a scrape ask the store: (commits, operations) since the start, and what waits for its writer."""
        self._store.commits = commits
        self.store_operations_waiting.set_function(waiting)

    def submitted(self, provider: str, outcome: str, seconds: float, segments: int = 0) -> None:
        """One hand-over ended: *outcome* is accepted, not_sent, refused or unknown."""
        self.submissions.labels(provider, outcome).inc()
        self.submit_seconds.labels(provider).observe(seconds)
        if segments:
            self.segments.labels(provider).inc(segments)
        if outcome == "unknown":
            self.unknown_outcomes.labels(provider).inc()

    def paid(self, provider: str, currency: str, amount: Decimal) -> None:
        """What a provider said a message cost."""
        self.spent.labels(provider, currency).inc(float(amount))

    def _doors(self) -> None:
        self.connections = self._gauge("connections", "Open connections.", "door")
        self.connections_opened = self._counter("connections_opened", "Connections that were let in.", "door")
        self.mails_kept = self._counter("mails_kept", "Mails answered with 250, safe on disk.", "door")
        self.mail_bytes = self._counter("mails_kept_bytes", "Bytes of those mails.", "door")
        self.keep_seconds = self._histogram(
            "mail_keep_seconds", "From the final dot of a mail to its 250.", _ANSWER, "door"
        )
        self.refused = self._counter(
            "refused",
            "Refusals at a door: stage is connect, auth, mail, rcpt, data or line, code the SMTP reply code.",
            "door", "stage", "code",
        )  # fmt: skip

    def _reading(self) -> None:
        self.mails_planned = self._counter(
            "mails_planned", "Mails that were decided on: planned, duplicate or quarantined.", "state"
        )
        self.events = self._counter("events", "Events found in mails.", "producer", "state")
        self.stage_seconds = self._histogram(
            "stage_seconds", "Time that one stage takes: read (a mail), plan (a batch).", _STAGE, "stage"
        )
        self.plan_batch = self._histogram("plan_batch_size", "Happenings decided in one transaction.", _BATCH)
        self.failed_decisions = self._counter(
            "decisions_failed", "Happenings whose decision failed; each stands in the log.", "happening"
        )

    def _messages(self) -> None:
        self.messages_created = self._counter("messages_created", "SMS that were decided on.", "class")
        self.messages_ended = self._counter(
            "messages_ended", "SMS that reached a last state.", "state", "provider", "class"
        )
        self.hand_over_seconds = self._histogram(
            "message_wait_seconds", "From the decision to the first hand-over.", _WAIT, "class"
        )
        self.submissions = self._counter(
            "submissions", "Hand-overs to a provider: accepted, not_sent, refused or unknown.", "provider", "outcome"
        )
        self.submit_seconds = self._histogram(
            "submit_seconds", "From the request to the provider's answer.", _NETWORK, "provider"
        )
        self.segments = self._counter("segments_submitted", "Billed parts that a provider took.", "provider")
        self.spent = self._counter("spent", "Money, as the provider said it.", "provider", "currency")
        self.unknown_outcomes = self._counter(
            "unknown_outcomes", "Hand-overs whose answer never came; each is asked after.", "provider"
        )

    def _returns(self) -> None:
        self.receipts = self._counter("receipts", "What the network said about our SMS.", "provider", "state")
        self.replies = self._counter("replies", "SMS that came in, and what they were read as.", "provider", "read_as")
        self.callbacks = self._counter(
            "callbacks",
            "Requests of providers that were taken: receipt, inbound, known, or asked (the list is fetched).",
            "provider", "kind",
        )  # fmt: skip
        self.callbacks_refused = self._counter(
            "callbacks_refused", "Requests that were not: forged, malformed, path, method, size or store.", "reason"
        )
        self.bounces = self._counter(
            "bounces",
            "Error mails about SMS sent by mail: failed, or else (a delay, an automatic answer).",
            "provider",
            "kind",
        )
        self.outgoing_mails = self._counter(
            "outgoing_mails", "Mails we sent: sent, retry, refused or unknown.", "kind", "outcome"
        )

    def _money(self) -> None:
        self.budget_used = self._gauge(
            "budget_used", "What a budget has seen in its running window, SMS under way included.",
            "budget", "unit", "window",
        )  # fmt: skip
        self.budget_limit = self._gauge("budget_limit", "What it may see in that window.", "budget", "unit", "window")
        self.over_budget = self._counter(
            "over_budget", "SMS that did not fit: each waits, or is dropped, as its budget says.", "budget"
        )
        self.storms = self._counter("storms", "Storms that began: one person, more SMS than anybody can read.")
        self.held = self._gauge(
            "held", "What waits to be said: storm, budget, digest, group, quiet, silence or hidden.", "why"
        )

    def _standing(self) -> None:
        self.messages_waiting = self._gauge("messages_waiting", "SMS not settled yet.", "state", "class")
        self.mails_waiting = self._gauge("mails_waiting", "Mails kept and not yet read.")
        self.outgoing_mails_waiting = self._gauge("outgoing_mails_waiting", "Mails of ours that wait for the relay.")
        self.oldest_waiting = self._gauge(
            "oldest_waiting_seconds", "Age of the oldest in a queue: mails, messages or outgoing_mails.", "queue"
        )
        self.incidents = self._gauge("incidents", "Incidents that are not over.", "state")
        self.stopped_phones = self._gauge("stopped_phones", "Phones that said STOP: nobody sends to them.")
        self.balance = self._gauge("account_balance", "Money left at a provider.", "account", "currency")
        self.gateway_delivered = self._gauge(
            "gateway_delivered_ratio", "Part of what a provider took lately that arrived.", "provider"
        )
        self.gateway_receipt = self._gauge(
            "gateway_receipt_seconds", "From the hand-over to the receipt, the middle one of late.", "provider"
        )
        self.account_paused = self._gauge(
            "account_paused", "1 while a provider's account cannot send: money, password or blocked.",
            "account", "cause",
        )  # fmt: skip
        self.gateway_links = self._gauge("gateway_links", "Links that are up, of a gateway over SMPP.", "provider")
        self.gateway_resting = self._gauge(
            "gateway_resting", "1 while a gateway rests after failures in a row.", "provider"
        )
        self.possible_doubles = self._counter(
            "possible_doubles", "SMS that may have arrived twice: sent again without proof.", "provider"
        )
        self.calendar_fetches = self._counter(
            "calendar_fetches", "iCalendars behind URLs: fetched or failed.", "calendar", "outcome"
        )
        self.calendar_fetched = self._gauge(
            "calendar_fetched_timestamp_seconds", "When an iCalendar behind a URL was fetched last.", "calendar"
        )
        self._store = _StoreCounters()
        self.registry.register(self._store)
        self._described += [Described(f"{name}_total", "counter", (), said) for name, said in _StoreCounters.SAID]
        self.store_operations_waiting = self._gauge("store_operations_waiting", "Operations waiting for the writer.")
        self.store_unavailable = self._counter("store_unavailable", "Times the store was away.", "where")
        self.reloads = self._counter("reloads", "Reloads of the configuration: taken or refused.", "outcome")
        self.config_loaded = self._gauge(
            "config_loaded_timestamp_seconds", "When the running configuration was loaded."
        )

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return self._made(Counter(f"smsbridge_{name}", meaning, labels, registry=self.registry), f"{name}_total")

    def _gauge(self, name: str, meaning: str, *labels: str) -> Gauge:
        return self._made(Gauge(f"smsbridge_{name}", meaning, labels, registry=self.registry), name)

    def _histogram(self, name: str, meaning: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        made = Histogram(f"smsbridge_{name}", meaning, labels, buckets=buckets, registry=self.registry)
        return self._made(made, name)

    def _made(self, metric: M, name: str) -> M:
        kind = type(metric).__name__.lower()
        self._described.append(Described(f"smsbridge_{name}", kind, metric._labelnames, metric._documentation))
        return metric


class _StoreCounters(Collector):
    """What the store counts itself, read at every scrape."""

    SAID = (
        ("smsbridge_store_commits", "Commits since the start."),
        ("smsbridge_store_operations", "Operations in those commits."),
    )

    def __init__(self) -> None:
        self.commits: Callable[[], tuple[int, int]] = lambda: (0, 0)

    def collect(self) -> Iterator[Metric]:
        for (name, meaning), value in zip(self.SAID, self.commits(), strict=True):
            yield CounterMetricFamily(name, meaning, value=value)


class DoorMeter:
    """The counters of one door, with its label already in place."""

    __slots__ = ("_connections", "_door", "_kept", "_kept_bytes", "_metrics", "_opened", "_seconds")

    def __init__(self, metrics: Metrics, door: str) -> None:
        self._metrics = metrics
        self._door = door
        self._connections = metrics.connections.labels(door)
        self._opened = metrics.connections_opened.labels(door)
        self._kept = metrics.mails_kept.labels(door)
        self._kept_bytes = metrics.mail_bytes.labels(door)
        self._seconds = metrics.keep_seconds.labels(door)

    def opened(self) -> None:
        """A connection was let in."""
        self._opened.inc()
        self._connections.inc()

    def closed(self) -> None:
        """A connection that had been let in is gone."""
        self._connections.dec()

    def kept(self, size: int, seconds: float) -> None:
        """A mail of *size* bytes was answered ``250``, *seconds* after its final dot."""
        self._kept.inc()
        self._kept_bytes.inc(size)
        self._seconds.observe(seconds)

    def refused(self, stage: str, reply: str, peer: str) -> None:
        """Something was refused with *reply* at *stage*; who it was is for the log, not for a label."""
        self._metrics.refused.labels(self._door, stage, reply[:3]).inc()
