"""Fixtures every kind of test may use, and how hard hypothesis looks.

``steady`` (the default) tries the same examples in every run, so that a red build is always somebody's change;
``search`` (``make proof``) looks for new ones.
"""

from __future__ import annotations

import pytest
from hypothesis import settings

settings.register_profile("steady", deadline=None, derandomize=True, max_examples=100)
settings.register_profile("search", deadline=None, max_examples=3000, print_blob=True)
settings.load_profile("steady")


@pytest.fixture
def anyio_backend() -> str:
    """The bridge runs on asyncio only: aiosmtpd and aiohttp know no other loop."""
    return "asyncio"
