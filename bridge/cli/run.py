"""``smsbridge run``: the bridge in the foreground."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click


@click.command("run", help="Run the bridge in the foreground.")
@click.option(
    "-c", "--config", "path", type=click.Path(path_type=Path), default="config.yaml", show_default=True,
    help="The configuration.",
)  # fmt: skip
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Of stderr.")
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True,
    help="What is logged.",
)  # fmt: skip
@click.option("--allow-root", is_flag=True, help="Let root listen on other addresses than loopback.")
def command(path: Path, log_format: str, log_level: str, *, allow_root: bool) -> None:
    """Ready when /readyz answers 200; SIGTERM stops in order, SIGHUP reads the files again.

    Exit codes: 0 stopped, 1 could not start, 75 the store is away, 78 configuration.
    """
    from bridge.app.serve import refuse_root, serve
    from bridge.book.loading import load_book
    from bridge.errors import ConfigError
    from bridge.observe import set_up

    loaded = load_book(path)
    book = loaded.require()
    refused = "" if allow_root else refuse_root(book)
    if refused:
        click.echo(refused, err=True)
        sys.exit(1)
    set_up(log_format, log_level, book.config.keep.numbers)  # type: ignore[arg-type]
    for warning in loaded.warnings:
        click.echo(warning, err=True)
    try:
        asyncio.run(serve(path, book))
    except ConfigError as error:
        raise loaded.placed(error) from error
