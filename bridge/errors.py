"""Everything that may go wrong by design, in one tree.

    BridgeError
    ├── ConfigError            the operator's files are wrong: file:line:column, key, what would be right
    ├── DeliveryError          a provider (or mail relay) did not take something
    │   ├── NotSent            no byte of the request left: may be tried again, anywhere
    │   ├── TemporaryFailure   refused for now: may be tried again after ``retry_after`` seconds
    │   ├── PermanentFailure   refused for good: never again with this content
    │   ├── AccountPaused      refused because of the account (money, password, block): pause all its doors
    │   └── OutcomeUnknown     the request left, no valid answer came: ask before anything else is sent
    └── StoreError             the database said no
        ├── StoreUnavailable   may be tried again: nothing was written
        └── StoreVersion       never: this program and this database do not fit together

Every class answers one question: may it be tried again?
"""

from __future__ import annotations


class BridgeError(Exception):
    """Root of all errors that are part of the design."""


class ConfigError(BridgeError):
    """The operator's files are wrong; *problems* are sentences with their places, in file order."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class DeliveryError(BridgeError):
    """A provider did not take the message; ``status`` is the RFC 3463 code for the DSN.

    *code* is the provider's own error code as it was received ("" when there is none).
    """

    status = "4.0.0"

    def __init__(self, reason: str, *, code: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code


class NotSent(DeliveryError):
    """Nothing left this machine: worth another attempt, at any provider."""

    status = "4.4.1"

    def __init__(self, reason: str, *, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(reason, code=code)
        self.retry_after = retry_after


class TemporaryFailure(DeliveryError):
    """Worth another attempt, no sooner than *retry_after* seconds from now."""

    status = "4.3.0"

    def __init__(self, reason: str, *, code: str = "", retry_after: float = 0.0) -> None:
        super().__init__(reason, code=code)
        self.retry_after = retry_after


class PermanentFailure(DeliveryError):
    """Never again; tell the sender."""

    status = "5.0.0"

    def __init__(self, reason: str, *, code: str = "", status: str = "5.0.0") -> None:
        super().__init__(reason, code=code)
        self.status = status


class AccountPaused(DeliveryError):
    """The account cannot send now (*cause*: ``money``, ``password`` or ``blocked``); not the message's fault."""

    status = "4.7.0"

    def __init__(self, reason: str, *, code: str = "", cause: str) -> None:
        super().__init__(reason, code=code)
        self.cause = cause


class OutcomeUnknown(DeliveryError):
    """The request left and no valid answer came: it may have been taken and paid."""

    status = "4.4.2"


class StoreError(BridgeError):
    """The database said no."""


class StoreUnavailable(StoreError):
    """Locked, full or away: nothing was written, the same call may be made again."""


class StoreVersion(StoreError):
    """The schema in the file is not the one this program knows."""
