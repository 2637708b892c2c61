"""What a way of writing requests has to offer, and what it is given. No I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.providers.smsgate_answers import Given, State


@dataclass(frozen=True, slots=True)
class Login:
    """Login and password, or a token, which goes into a header and nowhere else."""

    login: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}


@dataclass(frozen=True, slots=True)
class Ask:
    """One request, without the host."""

    method: str
    target: str = field(repr=False)  # path and query; a GET has the password there
    body: bytes | None = field(default=None, repr=False)
    content_type: str = ""


class Dialect(Protocol):
    """JSON, XML or GET."""

    @property
    def most_asked(self) -> int:
        """How many messages one state request may name."""

    def send(self, fields: Mapping[str, str], client_id: str, login: Login) -> Ask:
        """A paid request. Raises PermanentFailure where it cannot be written this way."""

    def sent(self, body: bytes) -> Iterable[Given]:
        """Its answer. Raises OutcomeUnknown."""

    def states(self, ids: Sequence[str], login: Login) -> Ask:
        """A question about messages by the provider's own ids."""

    def stated(self, body: bytes, ids: Sequence[str]) -> Mapping[str, State]:
        """Its answer, by those ids. Raises TemporaryFailure or AccountPaused."""
