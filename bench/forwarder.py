"""The plainest forwarder: aiosmtpd takes a mail, aiohttp posts its subject, then the mail is answered.

``python -m bench.forwarder PROVIDER_PORT`` prints its port and serves until its standard input is closed. It keeps
nothing, knows no rules and asks nobody again: what is left is the price of the two protocols in Python.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Any

import aiohttp
from aiosmtpd.smtp import SMTP

from bench.setting import PEOPLE, phone


class Forward:
    """Posts each mail as one SMS."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url
        self._number = 0

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        self._number += 1
        head = envelope.content.partition(b"\r\n\r\n")[0].decode()
        subject = next(line[9:] for line in head.splitlines() if line.startswith("Subject: "))
        form = {
            "login": "demo", "psw": "secret", "phones": phone(self._number % PEOPLE), "mes": subject, "cost": "3",
            "fmt": "3", "charset": "utf-8", "id": str(self._number),
        }  # fmt: skip
        async with self._session.post(self._url, data=form) as answer:
            await answer.read()
        return "250 OK"


async def serve(provider: int) -> None:
    """Listen on a free port of loopback until standard input closes."""
    loop = asyncio.get_running_loop()
    async with aiohttp.ClientSession() as session:
        handler = Forward(session, f"http://127.0.0.1:{provider}/sys/send.php")
        server = await loop.create_server(lambda: SMTP(handler, loop=loop, hostname="bench"), "127.0.0.1", 0)
        print(server.sockets[0].getsockname()[1], flush=True)
        await loop.run_in_executor(None, sys.stdin.read)
        server.close()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1])))
