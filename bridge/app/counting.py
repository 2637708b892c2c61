"""What a running bridge counts: decisions, hand-overs, receipts, callbacks, as ``observe.Metrics`` names them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from bridge.book import RuleBook
from bridge.config.derived import provider_currency
from bridge.model import Happening, OutgoingMail, Plan, Receipt
from bridge.observe import Metrics
from bridge.providers.base import Balance, LinkState
from bridge.store import plans
from bridge.store.attempts import Claimed, Outcome
from bridge.store.health import GatewayHealth

_OVER_BUDGET = "over budget "  # how such a reason begins (FORMAT §13)
_ENDS_OF_MAILS = {"later": "retry", "failed": "refused"}


class Counting:
    """Turns what happened into counters. *book* is the one in force."""

    def __init__(self, metrics: Metrics, book: Callable[[], RuleBook]) -> None:
        self._metrics = metrics
        self._book = book

    def decision(self, one: plans.Decided) -> None:
        """One happening was decided and committed, or could not be."""
        if one.error is not None:
            self._metrics.failed_decisions.labels(type(one.happening).__name__).inc()
            return
        for message in one.plan.messages:
            self._metrics.messages_created.labels(message.message_class).inc()
        self._limits(one.plan)
        if hasattr(one.happening, "events"):
            self._metrics.mails_planned.labels(one.plan.mail_state).inc()
            for routed in one.happening.events:
                self._metrics.events.labels(routed.event.producer, routed.event.state).inc()
        if one.plan.read_as:
            self._metrics.replies.labels(getattr(one.happening, "provider", ""), one.plan.read_as).inc()

    def _limits(self, plan: Plan) -> None:
        """What did not fit, by the budget's name in the configuration, and storms."""
        dropped = (str(entry.data.get("reason", "")) for entry in plan.journal if entry.kind == "message.dropped")
        for reason in (*(fate.reason for fate in plan.fates), *dropped):
            if reason.startswith(_OVER_BUDGET):
                self._metrics.over_budget.labels(reason.removeprefix(_OVER_BUDGET)).inc()
        self._metrics.storms.inc(sum(entry.kind == "storm.began" for entry in plan.journal))

    def ended(self, claimed: Claimed, outcome: Outcome, seconds: float) -> None:
        """A hand-over ended, *seconds* after its first byte."""
        provider, message = claimed.attempt.provider, claimed.message
        segments = message.segments if outcome.submission == "ACCEPTED" else 0
        self._metrics.submitted(provider, outcome.submission.lower(), seconds, segments)
        if outcome.cost:
            self._metrics.paid(provider, self._currency_of(claimed), Decimal(outcome.cost))
        if claimed.attempt.number == 1:
            wait = (claimed.attempt.started_at - message.created_at).total_seconds()
            self._metrics.hand_over_seconds.labels(message.message_class).observe(wait)

    def _currency_of(self, claimed: Claimed) -> str:
        config, provider = self._book().config, claimed.attempt.provider
        known = provider_currency(config, provider) if provider in config.providers else None
        return known or claimed.message.currency

    def receipt(self, happening: Happening) -> None:
        """What became of a message, if that is what *happening* says."""
        if isinstance(happening, Receipt):
            self._metrics.receipts.labels(happening.provider, happening.state).inc()

    def callback(self, provider: str, outcome: str) -> None:
        """A provider called; *outcome* as ``web.callbacks`` says it."""
        if outcome in ("receipt", "known", "inbound", "asked"):
            self._metrics.callbacks.labels(provider, outcome).inc()
        else:
            self._metrics.callbacks_refused.labels(outcome).inc()

    def mail(self, mail: OutgoingMail, how: str) -> None:
        """A mail of ours was handed to the relay, or not."""
        self._metrics.outgoing_mails.labels(mail.kind, _ENDS_OF_MAILS.get(how, how)).inc()

    def balance(self, account: str, balance: Balance) -> None:
        """What an account has left."""
        self._metrics.balance.labels(account, balance.currency).set(float(balance.amount))

    def health(self, found: Mapping[str, GatewayHealth]) -> None:
        """What became of what each gateway took lately."""
        for provider, health in found.items():
            if health.judged:
                self._metrics.gateway_delivered.labels(provider).set(health.delivered / health.judged)
            if health.seconds is not None:
                self._metrics.gateway_receipt.labels(provider).set(health.seconds)

    def link(self, provider: str, state: LinkState) -> None:
        """How many links a gateway has."""
        self._metrics.gateway_links.labels(provider).set(state.up)

    def possible_double(self, provider: str) -> None:
        """A message of that gateway may arrive twice."""
        self._metrics.possible_doubles.labels(provider).inc()


def pages_of(one: plans.Decided) -> set[str]:
    """The pages that a decision changed."""
    names = {"now"}
    names |= {f"incident:{incident.id}" for incident in one.plan.incidents}
    names |= {f"mail:{entry.mail_id}" for entry in one.plan.journal if entry.mail_id}
    return names
