"""Fixtures every kind of test may use, and how hard hypothesis looks.

``steady`` (the default) tries the same examples in every run, so that a red build is always somebody's change;
``search`` (``make proof``) looks for new ones.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("search", deadline=None, max_examples=3000, print_blob=True)
settings.load_profile("steady")


_configure = structlog.configure


def _configure_for_now(**settings: Any) -> None:
    """A logger that is kept at its first use would keep one test's settings for all that come after it."""
    _configure(**{**settings, "cache_logger_on_first_use": False})


structlog.configure = _configure_for_now


@pytest.fixture(autouse=True)
def _logs_as_they_were() -> Iterator[None]:
    """Who set logs up in this process did so for one test: the stream it named ends with that."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)
    root = logging.getLogger()
    root.handlers[:] = [handler for handler in root.handlers if type(handler) is not logging.StreamHandler]


@pytest.fixture
def anyio_backend() -> str:
    """The bridge runs on asyncio only: aiosmtpd and aiohttp know no other loop."""
    return "asyncio"
