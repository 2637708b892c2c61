"""``smsbridge doctor``: what is wrong around the bridge, and how to mend it."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bridge.cli.opening import answered_json, config_option, json_option

if TYPE_CHECKING:
    from bridge.cli.checkup.finding import Finding, Patient

_COLOURS = {"ok": "green", "bad": "red", "warn": "yellow", "look": "cyan"}


@click.command("doctor")
@config_option
@json_option
def command(config: Path, as_json: bool) -> None:
    """Look for what is wrong around the bridge, and say how to mend it.

    Files and their permissions, secrets, disk, store, ports, certificates, names, providers with their balance and how
    they did lately, callback address, relay, clock. Sends nothing and costs nothing; works beside a running bridge.

    Exit codes: 0 nothing is bad, 1 something is.
    """
    from bridge.book.loading import load_book
    from bridge.cli.checkup.finding import Patient
    from bridge.observe import set_up

    set_up("text", "error", "masked")
    findings = asyncio.run(_look(Patient(config, load_book(config), datetime.now(UTC))))
    if as_json:
        answered_json([asdict(finding) for finding in findings])
    else:
        _print(findings)
    sys.exit(1 if any(finding.mark == "bad" for finding in findings) else 0)


async def _look(patient: Patient) -> list[Finding]:
    """All findings in a fixed order; with a configuration that cannot be loaded only what it is itself."""
    from bridge.cli.checkup import doors, files, gateways, lately, names, outside, phones

    checks = [files.configuration]
    if patient.loaded.book is not None:
        checks += [
            files.permissions, files.secrets, files.disk, files.store, doors.ports, doors.certificates, names.names,
            gateways.providers, lately.outcomes, doors.callbacks, outside.relay, outside.clock, outside.switches,
            phones.stopped,
        ]  # fmt: skip
    found = await asyncio.gather(*(check(patient) for check in checks))
    return [finding for findings in found for finding in findings]


def _print(findings: list[Finding]) -> None:
    from bridge.cli.tables import marks

    good, bad, doubtful = marks()
    signs = {"ok": good, "bad": bad, "warn": doubtful, "look": "·" if good == "✓" else "--"}
    for finding in findings:
        mend = f". Mend: {finding.mend}" if finding.mend else ""
        sign = click.style(signs[finding.mark], fg=_COLOURS[finding.mark], bold=finding.mark == "bad")
        click.echo(f"{sign} {finding.about}: {finding.what}{mend}")
    worst = sum(finding.mark == "bad" for finding in findings)
    warned = sum(finding.mark == "warn" for finding in findings)
    click.echo(f"{worst} bad, {warned} to look at." if worst or warned else "All is well.")
