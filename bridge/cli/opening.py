"""What verbs open: the rule book of a configuration and the store it names. Whatever fails is an error of the tree.

Works beside a running bridge: the store is one SQLite file in WAL mode, and the bridge sees what was written at its
next look, within a second or two.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bridge.errors import ConfigError

if TYPE_CHECKING:
    from bridge.book import RuleBook
    from bridge.book.loading import LoadedBook
    from bridge.config.models import Config
    from bridge.store.engine import Store, Tx

T = TypeVar("T")

config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path),
    default=Path("config.yaml"),
    show_default=True,
    metavar="FILE",
    help="The configuration.",
)
json_option = click.option("--json", "as_json", is_flag=True, help="For programs.")


def book_of(config: Path) -> LoadedBook:
    """The configuration at *config* with its rules, compiled. Raises ConfigError with everything that is wrong."""
    from bridge.book.loading import load_book

    loaded = load_book(_there(config))
    loaded.require()
    return loaded


def living_book(config: Path) -> RuleBook:
    """The book as ``run`` has it: with the calendars that it fetched last, where there is a store."""
    from bridge.book.calendars import recall

    book = book_of(config).require()
    if book.people.rotas.feeds.missing():
        recall(book.people.rotas.feeds, Path(book.config.store.url.partition("://")[2]).parent)
    return book


def config_of(config: Path) -> Config:
    """The configuration at *config* without its rules' texts. Raises ConfigError with everything that is wrong."""
    from bridge.config.load import load

    return load(_there(config)).require().config


def store_path(config: Config) -> Path:
    """The SQLite file of the store. Raises ConfigError when it is another kind of store, or not there."""
    scheme, _, path = config.store.url.partition("://")
    if scheme != "sqlite":
        raise ConfigError((f"store: {scheme} is not built yet; use sqlite:///PATH",))
    if not Path(path).is_file():
        raise ConfigError((f"store: no {path} here; smsbridge run makes one",))
    return Path(path)


@contextlib.asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Store]:
    """The store at *path*, which must be there. Raises StoreVersion and StoreUnavailable."""
    from bridge.store.engine import Store

    store = Store(path, create=False)
    await store.open()
    try:
        yield store
    finally:
        store.close()


def reading(config: Config, operation: Callable[[Tx], T]) -> T:
    """What *operation* reads from the store of *config*."""

    async def read() -> T:
        async with opened(store_path(config)) as store:
            return await store.read(operation)

    return asyncio.run(read())


def writing(config: Config, operation: Callable[[Tx], T]) -> T:
    """What *operation* gives back, after its commit in the store of *config*."""

    async def write() -> T:
        async with opened(store_path(config)) as store:
            return await store.write(operation)

    return asyncio.run(write())


def user_name() -> str:
    """Who sits at this terminal, for the trail."""
    import pwd

    return os.environ.get("SUDO_USER") or pwd.getpwuid(os.getuid()).pw_name


def answered_json(found: Any) -> None:
    """Print *found* as JSON."""
    import json

    click.echo(json.dumps(found, ensure_ascii=False, indent=2))


def _there(config: Path) -> Path:
    if not config.is_file():
        raise ConfigError((f"no file {config} here ({Path.cwd()}); say -c FILE",))
    return config
