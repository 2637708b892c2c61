"""``smsbridge simulator``: the pretend providers as one program."""

from __future__ import annotations

import asyncio
import signal
import ssl
import sys
from contextlib import AsyncExitStack
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from bridge.simulator.simulator import Simulator

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@dataclass(frozen=True, slots=True)
class Doors:
    """Where to listen: host and port of each door, None for one that stays shut; *tls* is there for two of them."""

    http: tuple[str, int]
    https: tuple[str, int] | None
    smtp: tuple[str, int] | None
    smpp: tuple[str, int] | None
    smpps: tuple[str, int] | None
    tls: ssl.SSLContext | None

    def addresses(self) -> dict[str, tuple[str, int]]:
        """Those that are to be opened, by their options."""
        all_of_them = {
            "--http": self.http,
            "--https": self.https,
            "--smtp": self.smtp,
            "--smpp": self.smpp,
            "--smpps": self.smpps,
        }
        return {option: address for option, address in all_of_them.items() if address is not None}


def _address(context: click.Context, parameter: click.Parameter, value: str | None) -> tuple[str, int] | None:
    """``HOST:PORT``, ``[::1]:PORT``."""
    if value is None:
        return None
    host, colon, port = value.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise click.BadParameter(f"{value!r} is not HOST:PORT, for example 127.0.0.1:8026")
    return host.strip("[]"), int(port)


@click.command("simulator")
@click.option("--http", metavar="HOST:PORT", callback=_address, default="127.0.0.1:8026", show_default=True,
              help="Gateways and the control API under /sim/.")  # fmt: skip
@click.option("--https", metavar="HOST:PORT", callback=_address, help="The same over TLS.")
@click.option("--smtp", metavar="HOST:PORT", callback=_address, help="An inbox that shows the mails it gets.")
@click.option("--smpp", metavar="HOST:PORT", callback=_address, help="smsc over SMPP, in the clear.")
@click.option("--smpps", metavar="HOST:PORT", callback=_address, help="smsc over SMPP, over TLS.")
@click.option("--cert", metavar="FILE", type=_FILE, help="PEM chain for TLS; with it --smtp offers STARTTLS.")
@click.option("--key", metavar="FILE", type=_FILE, help="Its private key, where it is not in the same file.")
@click.option("--allow-remote", is_flag=True, help="Listen on addresses that other machines can reach.")
def command(
    http: tuple[str, int],
    https: tuple[str, int] | None,
    smtp: tuple[str, int] | None,
    smpp: tuple[str, int] | None,
    smpps: tuple[str, int] | None,
    cert: Path | None,
    key: Path | None,
    allow_remote: bool,
) -> None:
    """Pretend to be the SMS provider, with phones that can answer.

    Nothing leaves this machine and nothing is paid. Login demo, password secret; the phones, faults,
    prices and the mail inbox are under http://HOST:PORT/sim/ (docs/reference/simulator.md).

    Exit codes: 0 ended by a signal, 1 an address cannot be had, 2 a wrong option.
    """
    if (https or smpps or key) and cert is None:
        raise click.UsageError("--https, --smpps and --key want a --cert")
    doors = Doors(http, https, smtp, smpp, smpps, _context(cert, key) if cert is not None else None)
    for option, (host, _port) in doors.addresses().items():
        if not allow_remote and not _is_loopback(host):
            raise click.UsageError(f"{option} {host}: others could use it; say --allow-remote if you mean it")
    sys.exit(asyncio.run(_run(doors)))


def _context(cert: Path, key: Path | None) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    try:
        context.load_cert_chain(cert, key)
    except (ssl.SSLError, OSError) as error:
        raise click.UsageError(f"--cert {cert}: no certificate with its key: {error}") from error
    return context


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _run(doors: Doors) -> int:
    from bridge.app.collector import spare_the_collector
    from bridge.simulator.serve import CannotListen
    from bridge.simulator.simulator import Simulator

    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        async with AsyncExitStack() as stack:
            await _open(doors, Simulator(), stack)
            spare_the_collector()
            await ended.wait()
    except (CannotListen, OSError) as error:
        click.echo(f"smsbridge simulator: {error}", err=True)
        return 1
    return 0


async def _open(doors: Doors, simulator: Simulator, stack: AsyncExitStack) -> None:
    """Open every door and say where it is; they are shut when *stack* is."""
    from bridge.simulator.app import create
    from bridge.simulator.serve import running, served

    # TLS first, so that it is shut last: closing the simulator lets go of the requests that it holds.
    secure = await stack.enter_async_context(served(create(simulator), *doors.https, doors.tls)) if doors.https else 0
    host, port = doors.http[0], await stack.enter_async_context(running(simulator, *doors.http))
    click.echo(f"smsc: {_url('http', host, port)}/sys/send.php   control: {_url('http', host, port)}/sim/messages")
    if doors.https is not None:
        click.echo(f"smsc: {_url('https', doors.https[0], secure)}/sys/send.php")
    if doors.smtp is not None:
        mail = await simulator.listen_for_mail(*doors.smtp, doors.tls)
        click.echo(f"mail: {_url('smtp', doors.smtp[0], mail)}   read it: {_url('http', host, port)}/sim/mail")
    if doors.smpp is not None:
        click.echo(f"smsc: {_url('smpp', doors.smpp[0], await simulator.listen_for_smpp(*doors.smpp))}")
    if doors.smpps is not None:
        click.echo(f"smsc: {_url('smpps', doors.smpps[0], await simulator.listen_for_smpp(*doors.smpps, doors.tls))}")


def _url(scheme: str, host: str, port: int) -> str:
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"
