"""Why an address cannot be had, in a sentence that names who has it (wording §7)."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from bridge.errors import BridgeError

_LISTEN = "0A"  # state in /proc/net/tcp, see proc(5)


class CannotListen(BridgeError):
    """A door cannot be opened: the bridge does not start."""


def cannot_listen(host: str, port: int, address: str, error: OSError) -> CannotListen:
    """The sentence for *error* about *address* (as people write it)."""
    if error.errno == errno.EADDRINUSE:
        owner = _owner(port)
        by = f" ({owner})" if owner else ""
        return CannotListen(f"{address} is taken by another program{by}. Choose another port, or stop it.")
    if error.errno in (errno.EACCES, errno.EPERM):
        return CannotListen(f"port {port} needs a capability. The unit gives it; by hand use {port + 2500}.")
    if error.errno == errno.EADDRNOTAVAIL:
        return CannotListen(f"{host} is no address of this machine. Write one that is, or 0.0.0.0 for all.")
    return CannotListen(f"cannot listen on {address}: {error.strerror or error}")


def _owner(port: int) -> str:
    """``master, pid 812``: who listens on *port*, "" where the system does not tell us."""
    inodes = {f"socket:[{inode}]" for table in ("tcp", "tcp6") for inode in _listening(Path("/proc/net", table), port)}
    for link in Path("/proc").glob("[0-9]*/fd/*") if inodes else ():
        try:
            if os.readlink(link) in inodes:
                process = link.parents[1]
                return f"{(process / 'comm').read_text().strip()}, pid {process.name}"
        except OSError:
            continue  # it ended meanwhile, or belongs to somebody else
    return ""


def _listening(table: Path, port: int) -> list[str]:
    """Inodes of the sockets that listen on *port*."""
    try:
        lines = table.read_text().splitlines()[1:]
    except OSError:
        return []
    rows = [line.split() for line in lines]
    return [row[9] for row in rows if row[3] == _LISTEN and int(row[1].rpartition(":")[2], 16) == port]
