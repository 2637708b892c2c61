"""Carries posts to handlers: in order for one phone, side by side for different ones, retried as switched."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from zlib import crc32

import aiohttp
from yarl import URL

from bridge.simulator.air import Air
from bridge.simulator.records import Post, Posted

_LANES = 8
_TIMEOUT = aiohttp.ClientTimeout(total=10)


class Courier:
    """Posts wait here until ``run`` carries them; one lane a phone keeps 0 before 1."""

    def __init__(self, air: Air) -> None:
        self._air = air
        self.lanes: tuple[asyncio.Queue[Post], ...] = tuple(asyncio.Queue() for _ in range(_LANES))

    def put(self, post: Post) -> None:
        self.lanes[crc32(post.phone.encode()) % _LANES].put_nowait(post)

    async def run(self) -> None:
        """Carry for ever; ends by cancellation."""
        # An own jar that keeps nothing: a handler that sets cookies must not mark our next post.
        session = aiohttp.ClientSession(timeout=_TIMEOUT, cookie_jar=aiohttp.DummyCookieJar())
        async with session, asyncio.TaskGroup() as group:
            for lane in self.lanes:
                group.create_task(self._carry(lane, session))

    async def _carry(self, lane: asyncio.Queue[Post], session: aiohttp.ClientSession) -> None:
        while True:
            post = await lane.get()
            status, reason = await _send(session, post)
            self._air.posted.append(Posted(post, status, reason, self._air.now()))
            if status not in self._air.switches.accepted_answers or post.wants not in reason:
                self._again(post)

    def _again(self, post: Post) -> None:
        delays = self._air.switches.callback_retries
        if post.attempt <= len(delays):
            due = self._air.now() + timedelta(seconds=delays[post.attempt - 1])
            self._air.timers.at(due, lambda at: self.put(replace(post, attempt=post.attempt + 1)))


async def _send(session: aiohttp.ClientSession, post: Post) -> tuple[int, str]:
    headers = {"Content-Type": post.content_type}
    try:
        async with session.post(
            URL(post.url, encoded=True), data=post.body, headers=headers, allow_redirects=False
        ) as answer:
            body = await answer.content.read(200)
            return answer.status, body.decode("utf-8", "replace")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return 0, f"{type(error).__name__}: {error}"
