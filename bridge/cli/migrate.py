"""``smsbridge migrate``: an old store becomes one that this program knows. ``run`` never does that by itself."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click

from bridge.cli.opening import config_of, config_option, store_path


@click.command("migrate")
@config_option
@click.option("--dry-run", is_flag=True, help="Say what would be done.")
def command(config: Path, dry_run: bool) -> None:
    """Bring an old store to the version of this program.

    A backup is made beside the store first. Each step is one transaction: after a crash the store is of the version
    before the step or after it. To another major version the bridge must be stopped.

    Exit codes: 0 done or nothing to do, 75 the store is in use or there is no room, 78 the store is too new, or no
    store.
    """
    from bridge.errors import StoreUnavailable
    from bridge.store.migrations import runner
    from bridge.store.schema import VERSION

    path = store_path(config_of(config))
    found = runner.version_of(path)
    todo = runner.steps(path)
    if not todo:
        ahead = "" if found == VERSION else f", this program knows {VERSION}; both work on it"
        click.echo(f"{path} is of version {found}{ahead}. Nothing to do.")
        return
    for step in todo:
        if dry_run:
            click.echo(f"{step.before or 'empty'} → {step.after}: {step.meaning}")
    if dry_run:
        return
    click.echo(f"Backup: {runner.back_up(path, found or 'empty', datetime.now(UTC))}")
    for step in todo:
        runner.take(path, step)
        click.echo(f"{step.before or 'empty'} → {step.after}: done")
    if not runner.sound(path):
        raise StoreUnavailable(f"{path} is damaged; restore the backup")
