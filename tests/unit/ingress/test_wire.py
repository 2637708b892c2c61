"""The private parts of aiosmtpd that the door builds on. A new version has to be read before it is taken."""

from __future__ import annotations

import asyncio
import inspect

import aiosmtpd
import pytest
from aiosmtpd.smtp import SMTP

from bridge.ingress.limits import Caps
from bridge.ingress.wire import Wire

pytestmark = pytest.mark.anyio


def test_this_is_the_version_that_was_read() -> None:
    assert aiosmtpd.__version__ == "1.4.6"


async def test_the_parts_that_are_replaced_and_used_still_exist() -> None:
    wire = Wire(loop=asyncio.get_running_loop(), hostname="x", caps=Caps())
    assert wire.hostname == "x"
    assert wire._smtp_methods["MAIL"] == wire.smtp_MAIL
    assert inspect.iscoroutinefunction(SMTP._handle_client)
    assert wire._getaddr("<a@b.example> SIZE=5") == ("a@b.example", "SIZE=5")
    assert "_writer" in inspect.getsource(SMTP._cb_client_connected)
    assert inspect.iscoroutinefunction(asyncio.StreamWriter.start_tls)
