"""Envelopes around any bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bridge.model import Envelope, Recipient


@pytest.fixture
def wrap() -> Callable[..., Envelope]:
    """``wrap(content, mail_from=…)``: an envelope of a trusted peer."""

    def make(content: bytes, mail_from: str = "sender@example.kz") -> Envelope:
        at = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
        return Envelope(content, at, mail_from, (Recipient("alerts@sms.example.kz"),))

    return make
