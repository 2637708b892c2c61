"""``smsbridge simulator``: the pretend providers as one program."""

from __future__ import annotations

import asyncio
import signal
import sys
from ipaddress import ip_address

import click


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
@click.option("--smtp", metavar="HOST:PORT", callback=_address, help="An inbox that shows the mails it gets.")
@click.option("--smpp", metavar="HOST:PORT", callback=_address, help="smsc over SMPP, in the clear.")
@click.option("--allow-remote", is_flag=True, help="Listen on addresses that other machines can reach.")
def command(
    http: tuple[str, int], smtp: tuple[str, int] | None, smpp: tuple[str, int] | None, allow_remote: bool
) -> None:
    """Pretend to be the SMS provider, with phones that can answer.

    Nothing leaves this machine and nothing is paid. Login demo, password secret; the phones, faults,
    prices and the mail inbox are under http://HOST:PORT/sim/ (docs/reference/simulator.md).

    Exit codes: 0 ended by a signal, 1 an address cannot be had, 2 a wrong option.
    """
    for name, address in (("--http", http), ("--smtp", smtp), ("--smpp", smpp)):
        if address is not None and not allow_remote and not _is_loopback(address[0]):
            raise click.UsageError(f"{name} {address[0]}: others could use it; say --allow-remote if you mean it")
    sys.exit(asyncio.run(_run(http, smtp, smpp)))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def _run(http: tuple[str, int], smtp: tuple[str, int] | None, smpp: tuple[str, int] | None) -> int:
    from bridge.simulator.serve import CannotListen, running
    from bridge.simulator.simulator import Simulator

    simulator = Simulator()
    ended = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    try:
        async with running(simulator, *http) as port:
            click.echo(f"smsc: http://{http[0]}:{port}/sys/send.php   control: http://{http[0]}:{port}/sim/messages")
            if smtp is not None:
                mail_port = await simulator.listen_for_mail(*smtp)
                click.echo(f"mail: smtp://{smtp[0]}:{mail_port}   read it: http://{http[0]}:{port}/sim/mail")
            if smpp is not None:
                smpp_port = await simulator.listen_for_smpp(*smpp)
                click.echo(f"smsc: smpp://{smpp[0]}:{smpp_port}")
            await ended.wait()
    except (CannotListen, OSError) as error:
        click.echo(f"smsbridge simulator: {error}", err=True)
        return 1
    return 0
