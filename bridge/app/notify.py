"""Telling systemd how we are: READY, RELOADING, STOPPING, WATCHDOG (sd_notify(3)). Without systemd nothing happens."""

from __future__ import annotations

import os
import socket
import time


def notify(*lines: str) -> None:
    """Send state lines (``READY=1``) to the socket that systemd named; never raises."""
    path = os.environ.get("NOTIFY_SOCKET", "")
    if not path:
        return
    address = "\0" + path[1:] if path.startswith("@") else path
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
            sock.connect(address)
            sock.sendall("\n".join(lines).encode())
    except OSError:
        return  # a supervisor that is gone must not take us with it


def reloading() -> None:
    """Say that a reload begins (Type=notify-reload wants the monotonic time with it)."""
    notify("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def watchdog_seconds() -> float:
    """How often systemd wants to hear from us, halved; 0 = not at all."""
    micros = os.environ.get("WATCHDOG_USEC", "")
    return int(micros) / 2_000_000 if micros.isdigit() else 0.0


def inherited_sockets() -> dict[str, list[socket.socket]]:
    """Listening sockets that systemd opened for us, by name (sd_listen_fds(3))."""
    count = os.environ.get("LISTEN_FDS", "")
    if os.environ.get("LISTEN_PID") != str(os.getpid()) or not count.isdigit():
        return {}
    names = os.environ.get("LISTEN_FDNAMES", "").split(":")
    found: dict[str, list[socket.socket]] = {}
    for number in range(int(count)):
        name = names[number] if number < len(names) and names[number] else f"fd{number}"
        sock = socket.socket(fileno=3 + number)
        sock.set_inheritable(False)
        found.setdefault(name, []).append(sock)
    return found
