"""``smsbridge demo``: the whole loop on this machine, nothing leaves it."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click


def _address(_context: click.Context, _parameter: click.Parameter, value: str) -> tuple[str, int]:
    """``127.0.0.1:2525`` → ("127.0.0.1", 2525)."""
    host, _, port = value.rpartition(":")
    if not host or not port.isdigit():
        raise click.BadParameter(f'"{value}" is not HOST:PORT, like 127.0.0.1:2525')
    if host not in ("localhost", "[::1]") and not host.startswith("127."):
        raise click.BadParameter(f"{host} is not loopback; the demo takes mail from everybody who reaches it")
    return host.strip("[]"), int(port)


@click.command("demo", help="Run bridge, pretend provider and console on this machine.")
@click.option(
    "--dir", "folder", type=click.Path(path_type=Path), default="demo-data", show_default=True,
    help="Where its files are kept.",
)  # fmt: skip
@click.option("--smtp", default="127.0.0.1:2525", show_default=True, callback=_address, help="Where it takes mail.")
@click.option("--http", default="127.0.0.1:8025", show_default=True, callback=_address, help="Where its pages are.")
@click.option("--once", is_flag=True, help="Play one story and exit: 0 when every step happened, 1 when one did not.")
@click.option("--fault", default="", metavar="JSON", help="What the pretend provider does wrong, as PUT /sim/faults.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="warning", show_default=True
)
def command(
    folder: Path, smtp: tuple[str, int], http: tuple[str, int], fault: str, log_level: str, *, once: bool
) -> None:
    """Bridge, store, pretend provider with phones, mail inbox and console in one process."""
    from bridge.app.demo import Where
    from bridge.observe import set_up

    set_up("text", log_level, "clear")
    where = Where(folder, smtp, http)
    sys.exit(asyncio.run(_once(where, fault) if once else _stay(where, fault)))


async def _stay(where: object, fault: str) -> int:
    from bridge.app.demo import Where, running
    from bridge.app.serve import Signals, stay

    assert isinstance(where, Where)  # noqa: S101 - the import is late for a quick --help
    signals = Signals()
    async with running(where) as demo:
        _break(demo, fault)
        host, port = demo.smtp
        click.echo(
            f"Demo runs. Phones: {demo.phones}  Mail to: oncall@bridge.test at {host}:{port}  Stop: Ctrl-C\n\n"
            f"Send a mail:  swaks --server {host}:{port} --to oncall@bridge.test --header 'Subject: db01 disk full'\n"
            f"or:           printf 'Subject: db01 disk full\\n\\nhello\\n' | curl smtp://{host}:{port}"
            f" --mail-from me@example.org --mail-rcpt oncall@bridge.test -T -\n"
            f"Rules:        {demo.config.parent / 'rules' / '10-demo.yaml'} (edit, then: kill -HUP <this process>)"
        )
        await stay(demo.bridge, lambda: _reload(demo), signals)
    return 0


async def _once(where: object, fault: str) -> int:
    import tempfile

    from bridge.app.demo import StepFailed, Where, running, story

    assert isinstance(where, Where)  # noqa: S101
    with tempfile.TemporaryDirectory(prefix="smsbridge-demo-") as fresh:
        async with running(Where(Path(fresh), (where.smtp[0], 0), (where.http[0], 0))) as demo:
            _break(demo, fault)
            try:
                async for step in story(demo):
                    click.echo(f"{step.number}. {step.what} ({step.took.total_seconds() * 1000:.0f} ms): {step.detail}")
            except StepFailed as failed:
                click.echo(str(failed), err=True)
                return 1
    click.echo("The whole loop works: mail, SMS, answer, mail in the thread, recovery, SMS.")
    return 0


def _break(demo: object, fault: str) -> None:
    import json

    from bridge.app.demo import Demo

    assert isinstance(demo, Demo)  # noqa: S101
    if fault:
        demo.simulator.set_faults(json.loads(fault))


def _reload(demo: object) -> None:
    from bridge.app.demo import Demo
    from bridge.errors import ConfigError

    assert isinstance(demo, Demo)  # noqa: S101
    try:
        demo.reload()
    except ConfigError as error:
        for problem in error.problems:
            click.echo(problem, err=True)
        count = len(error.problems)
        click.echo(f"{count} {'error' if count == 1 else 'errors'}, the running configuration stays.", err=True)
    else:
        click.echo("Reloaded.")
