"""``smsbridge schema``: JSON Schema of config.yaml, rule files or rule tests."""

from __future__ import annotations

import json

import click


@click.command("schema", short_help="Print JSON Schema for editors.")
@click.argument("kind", type=click.Choice(["config", "rules", "tests"]), default="config")
def command(kind: str) -> None:
    """Print the JSON Schema of a kind of file: config (the default), rules or tests.

    \b
    smsbridge schema rules > rules.schema.json
    then, in the first line of a rule file:
    # yaml-language-server: $schema=rules.schema.json
    """
    from bridge.config.schema import KINDS, schema  # late: pydantic is not needed for --help

    click.echo(json.dumps(next(schema(one) for one in KINDS if one == kind), ensure_ascii=False, indent=2))
