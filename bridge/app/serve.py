"""From a configuration file to a running bridge and back: signals, reload, systemd."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import structlog

from bridge.app.bridge import Bridge, Surroundings, store_path
from bridge.app.collector import spare_the_collector
from bridge.app.notify import inherited_sockets, notify, reloading, watchdog_seconds
from bridge.book import RuleBook
from bridge.book.loading import load_book
from bridge.errors import BridgeError, ConfigError

log = structlog.get_logger("bridge")


def refuse_root(book: RuleBook) -> str:
    """Why root may not run this configuration: a door that is not on loopback (threats T34); "" = it may."""
    if os.geteuid() != 0:
        return ""
    for listener in book.config.listen:
        host = listener.address.host
        if listener.address.kind == "tcp" and host not in ("localhost", "::1") and not host.startswith("127."):
            return (
                f"smsbridge run: root, and {listener.address} is not loopback. Use the unit, or:"
                " sudo -u smsbridge … (or say --allow-root)"
            )
    return ""


async def serve(path: Path, book: RuleBook) -> None:
    """Run until SIGTERM or SIGINT; SIGHUP reads the files at *path* again."""
    sockets = inherited_sockets()
    bridge = Bridge(book, Surroundings(store_path(book, path.parent), sockets=sockets))
    signals = Signals()
    await bridge.start()
    spare_the_collector()
    await stay(bridge, lambda: _reload(bridge, path), signals)


class Signals:
    """SIGTERM and SIGINT say stop, SIGHUP says reload. Made before the doors open: from then on nothing may end us
    rudely, and a reload that is wished for meanwhile is not forgotten."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.stop = asyncio.Event()
        self._reload: Callable[[], None] | None = None
        self._wished = False
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop.set)
        loop.add_signal_handler(signal.SIGHUP, self._hang_up)

    def reload_with(self, reload: Callable[[], None]) -> None:
        """From now on SIGHUP calls *reload*; at once if it came before."""
        self._reload = reload
        if self._wished:
            reload()

    def _hang_up(self) -> None:
        self._wished = True
        if self._reload is not None:
            self._reload()


async def stay(bridge: Bridge, reload: Callable[[], None], signals: Signals) -> None:
    """Stay up until a signal says stop; then stop in order."""
    notify("READY=1")
    signals.reload_with(reload)
    watchdog = asyncio.create_task(_feed_watchdog(bridge), name="watchdog")
    try:
        await signals.stop.wait()
        log.info("stopping")
    finally:
        notify("STOPPING=1")
        watchdog.cancel()
        await bridge.stop()
        log.info("stopped")


def _reload(bridge: Bridge, path: Path) -> None:
    """All or nothing: a wrong configuration never replaces a running one (threats F14)."""
    reloading()
    loaded = load_book(path)
    try:
        bridge.reload(loaded.require())
    except (ConfigError, BridgeError) as error:
        problems = error.problems if isinstance(error, ConfigError) else (str(error),)
        bridge.metrics.reloads.labels("refused").inc()
        for problem in problems:
            log.error("configuration refused", problem=problem)
        log.error("the running configuration stays", errors=len(problems))
    finally:
        notify("READY=1")


async def _feed_watchdog(bridge: Bridge) -> None:
    """Fed only while every loop is alive and the store answers (threats F23)."""
    every = watchdog_seconds()
    while every:
        await asyncio.sleep(every)
        if (await bridge.health()).ready:
            notify("WATCHDOG=1")
