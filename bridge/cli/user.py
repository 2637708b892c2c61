"""``smsbridge user``: who may log in, at the mail doors and at the console.

Works on the store itself, whether a bridge runs or not; a running one follows within seconds. A password is
typed at a prompt or comes as one line of standard input, never as an argument (other people see those).
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TypeVar

import click

T = TypeVar("T")

_LOGIN = re.compile(r"[\w.@-]{1,64}")
_SHORTEST = 8  # characters of a password
_DONE_NOT, _TRY_AGAIN, _CONFIGURATION = 1, 75, 78  # exit codes
ROLES = ("viewer", "operator", "admin", "smtp")  # as bridge.store.users has them; not imported, --help is quick


@click.group("user")
@click.option("-c", "--config", type=click.Path(path_type=Path), default=Path("config.yaml"), show_default=True)
@click.pass_context
def command(context: click.Context, config: Path) -> None:
    """Manage the logins of mail doors and console.

    Exit codes: 0 done, 1 there is no such login (or it is there already), 2 wrong call, 75 the store is
    away, 78 configuration or store are not usable.
    """
    context.obj = config


@command.command("add")
@click.argument("login")
@click.option("--role", "roles", type=click.Choice(ROLES), multiple=True, help="May be given several times. [smtp]")
@click.option("--replace", is_flag=True, help="Give a login that is there a new password and new roles.")
@click.pass_obj
def add(config: Path, login: str, roles: tuple[str, ...], replace: bool) -> None:
    """Add LOGIN; its password is asked, or read as one line of standard input.

    Role smtp may hand in mail; viewer, operator and admin are the console's.
    """
    if not _LOGIN.fullmatch(login):
        raise click.UsageError("A login is letters, digits, '.', '@', '-' and '_', at most 64.")
    from bridge.store import users

    now = datetime.now(UTC).replace(microsecond=0)
    user = users.User(login, users.make_hash(_password("add")), frozenset(roles or ("smtp",)), now, now)
    if replace:
        _write(config, "add", lambda tx: users.replace_user(tx, user))
    elif not _write(config, "add", lambda tx: users.add_user(tx, user)):
        _stop("add", f"{login} is there already. For a new password and new roles say --replace.")
    click.echo(f"{login} {' '.join(sorted(user.roles))}")


@command.command("list")
@click.option("--json", "as_json", is_flag=True)
@click.pass_obj
def list_users(config: Path, as_json: bool) -> None:
    """Show all logins with their roles."""
    from bridge.store import users

    found = _write(config, "list", users.all_users)
    if as_json:
        rows = [
            {
                "login": user.login,
                "roles": sorted(user.roles),
                "changed_at": user.updated_at.isoformat(),
                "locked_until": user.locked_until.isoformat() if user.locked_until else None,
            }
            for user in found
        ]
        click.echo(json.dumps(rows, ensure_ascii=False, indent=2))
        return
    if not found:
        click.echo("No logins are there.")
    width = max((len(user.login) for user in found), default=0)
    for user in found:
        locked = f"  locked until {user.locked_until:%Y-%m-%d %H:%M} UTC" if user.locked_until else ""
        click.echo(f"{user.login:<{width}}  {' '.join(sorted(user.roles))}{locked}")


@command.command("remove")
@click.argument("login")
@click.pass_obj
def remove(config: Path, login: str) -> None:
    """Remove LOGIN; sessions that are open stay until they end."""
    from bridge.store import users

    if not _write(config, "remove", lambda tx: users.remove_user(tx, login)):
        _stop("remove", f"there is no login {login}. See: smsbridge user list")
    click.echo(f"{login} removed")


@command.command("unlock")
@click.argument("login")
@click.pass_obj
def unlock(config: Path, login: str) -> None:
    """Lift a lock of LOGIN and give it its tries back."""
    from bridge.store import users

    if not _write(config, "unlock", lambda tx: users.unlock_user(tx, login, datetime.now(UTC))):
        _stop("unlock", f"there is no login {login}. See: smsbridge user list")
    click.echo(f"{login} unlocked")


def _password(verb: str) -> str:
    """Asked twice on a terminal, else one line of standard input."""
    if sys.stdin.isatty():
        password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\r\n")
    if len(password) < _SHORTEST:
        _stop(verb, f"the password has fewer than {_SHORTEST} characters. Choose a longer one.", code=2)
    return password


def _write(config: Path, verb: str, operation: Callable[..., T]) -> T:
    """Run *operation* in the store that *config* names; ends the program with its sentence where that fails."""
    from bridge.errors import ConfigError, StoreUnavailable, StoreVersion

    try:
        return asyncio.run(_in_store(_store_path(config, verb), operation))
    except ConfigError as error:
        for line in error.problems:
            click.echo(line, err=True)
        _stop(verb, f"{config} is not usable. See: smsbridge check -c {config}", code=_CONFIGURATION)
    except StoreVersion as error:
        _stop(verb, str(error), code=_CONFIGURATION)
    except StoreUnavailable as error:
        _stop(verb, f"the store is away ({error}). Try again.", code=_TRY_AGAIN)


def _store_path(config: Path, verb: str) -> Path:
    from bridge.config.load import load

    if not config.is_file():
        _stop(verb, f"no file {config} here ({Path.cwd()}). Say -c CONFIG.", code=_CONFIGURATION)
    scheme, _, path = load(config).require().config.store.url.partition("://")
    if scheme != "sqlite":
        _stop(verb, f"a store on {scheme} is not built yet. Use sqlite:///PATH.", code=_CONFIGURATION)
    if not Path(path).is_file():
        _stop(verb, f"no store {path} here. smsbridge run makes one.", code=_CONFIGURATION)
    return Path(path)


async def _in_store(path: Path, operation: Callable[..., T]) -> T:
    from bridge.store.engine import Store

    store = Store(path, create=False)
    await store.open()
    try:
        return await store.write(operation)
    finally:
        store.close()


def _stop(verb: str, sentence: str, code: int = _DONE_NOT) -> NoReturn:
    click.echo(f"smsbridge user {verb}: {sentence}", err=True)
    sys.exit(code)
