"""What the rule book says to the mail doors."""

from __future__ import annotations

from collections.abc import Callable

from bridge.book import RuleBook
from bridge.ingress import ports
from bridge.routing.facts import Facts


class BookPolicy:
    """The door's questions, answered by the book of now: a reload changes the answers, not the door."""

    def __init__(self, book: Callable[[], RuleBook]) -> None:
        self._book = book

    @property
    def hostname(self) -> str:
        """The first domain the bridge answers for, else the node's name."""
        book = self._book()
        return book.config.domains[0] if book.config.domains else book.hostname

    def sender_refusal(self, facts: ports.Facts) -> str | None:
        """Why this sender may not be used by this source."""
        return self._book().sources.sender_refusal(_routing(facts))

    def recipient_refusal(self, facts: ports.Facts, address: str) -> str | None:
        """Why no rule could take this recipient from this source."""
        return self._book().addresses.refusal(_routing(facts), address)


def _routing(facts: ports.Facts) -> Facts:
    return Facts(facts.door, facts.peer, facts.login, facts.certificate, facts.tls, facts.mail_from)
