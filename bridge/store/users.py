"""Users of the bridge: who may log in at a mail door or at the console, and as what.

Passwords are kept as scrypt hashes only. :class:`Logins` holds all of them in memory and checks passwords
without touching the store or stopping the event loop; it follows the store by :func:`follow`.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import bindparam, delete, func, null, select, update

from bridge.errors import StoreError, StoreUnavailable
from bridge.store.engine import Row, Store, Tx
from bridge.store.schema import users as table
from bridge.store.statements import Statement, from_us, insert, to_us, whole

ROLES = ("viewer", "operator", "admin", "smtp")  # smtp: may hand in mail; the others are the console's

_LOG2_N, _R, _P = 15, 8, 1  # 32 MiB and about 0.1 s
_HASH = re.compile(r"scrypt\$(\d{1,2})\$(\d{1,2})\$(\d{1,2})\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)")
_WAITING = 64  # passwords that may wait to be checked

_ALL = Statement(select(table).order_by(table.c.login))
_ONE = whole(table, table.c.login == bindparam("of"))
_MARK = Statement(
    select(func.count(), func.coalesce(func.max(table.c.updated_at), 0), func.coalesce(func.sum(table.c.updated_at), 0))
)
_ADD = insert(table)
_REMOVE = Statement(delete(table).where(table.c.login == bindparam("of")))
_UNLOCK = Statement(
    update(table).where(table.c.login == bindparam("of")).values(locked_until=null(), updated_at=bindparam("now"))
)


@dataclass(frozen=True, slots=True)
class User:
    """One row: somebody with a password."""

    login: str
    hash: str
    roles: frozenset[str]
    created_at: datetime
    updated_at: datetime
    locked_until: datetime | None = None


def add_user(tx: Tx, user: User) -> bool:
    """Write *user*; False when the login is there already."""
    if tx.one(_ONE, {"of": user.login}) is not None:
        return False
    tx.run(_ADD, _row_of(user))
    return True


def replace_user(tx: Tx, user: User) -> None:
    """Write *user*, whether the login is there or not."""
    remove_user(tx, user.login)
    tx.run(_ADD, _row_of(user))


def remove_user(tx: Tx, login: str) -> bool:
    """False when there was none."""
    return tx.run(_REMOVE, {"of": login}) > 0


def unlock_user(tx: Tx, login: str, now: datetime) -> bool:
    """Lift a lock, and give the login its tries back in every running bridge; False when there is none."""
    return tx.run(_UNLOCK, {"of": login, "now": to_us(now)}) > 0


def all_users(tx: Tx) -> list[User]:
    """Everybody, by login."""
    return [_user(row) for row in tx.rows(_ALL)]


def users_mark(tx: Tx) -> Row:
    """Something that is another one after every change of a user."""
    return tx.one(_MARK) or ()


def make_hash(password: str) -> str:
    """``scrypt$15$8$1$<salt>$<key>``: says by itself how it was made. Takes about 0.1 s."""
    salt = os.urandom(16)
    key = _scrypt(password, salt, _LOG2_N, _R, _P)
    return f"scrypt${_LOG2_N}${_R}${_P}${b64encode(salt).decode()}${b64encode(key).decode()}"


def fits_hash(password: str, stored: str) -> bool:
    """Whether *password* made this hash; False for a hash that cannot be read. Takes as long as making one."""
    found = _HASH.fullmatch(stored)
    if found is None:
        return False
    log2_n, r, p = int(found[1]), int(found[2]), int(found[3])
    key = _scrypt(password, b64decode(found[4]), log2_n, r, p)
    return hmac.compare_digest(key, b64decode(found[5]))


def _scrypt(password: str, salt: bytes, log2_n: int, r: int, p: int) -> bytes:
    octets = password.encode("utf-8", "surrogatepass")
    return hashlib.scrypt(octets, salt=salt, n=1 << log2_n, r=r, p=p, maxmem=(129 << log2_n) * r, dklen=32)


class Logins:
    """All users in memory. Checks passwords on a thread of its own, once for each password that fits.

    A password that fitted is known again by a keyed digest, so a monitor that logs in for every mail costs a
    scrypt only once. Unknown logins take as long as known ones (threats T06, T39).
    """

    def __init__(self) -> None:
        self.loaded = False
        self._users: dict[str, User] = {}
        self._fitted: dict[str, bytes] = {}  # login -> digest of the password that fitted
        self._checks: dict[bytes, asyncio.Future[bool]] = {}
        self._secret = os.urandom(32)
        self._nobody = ""  # a hash that no password fits, made when first needed
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="passwords")

    def load(self, users: Iterable[User]) -> None:
        """Take over what the store holds now. Passwords of changed users are checked anew."""
        fresh = {user.login: user for user in users}
        self._fitted = {
            login: digest for login, digest in self._fitted.items() if fresh.get(login) == self._users.get(login)
        }
        self._users = fresh
        self.loaded = True

    def roles(self, login: str) -> frozenset[str]:
        """What this login may do; nothing for an unknown one."""
        user = self._users.get(login)
        return user.roles if user else frozenset()

    def stamp(self, login: str) -> int:
        """Changes with every change of the user: limits that name it begin anew after an unlock."""
        user = self._users.get(login)
        return to_us(user.updated_at) if user else 0

    def knows(self, login: str, password: str) -> bool:
        """Whether this very pair has fitted before, or is being checked right now."""
        digest = self._digest(login, password)
        return digest in self._checks or self._has_fitted(login, digest)

    async def verify(self, login: str, password: str, *, now: datetime, role: str = "smtp") -> bool:
        """Whether the password fits, the user is not locked and has *role*.

        Raises StoreUnavailable when that cannot be said: nothing was loaded yet, or too many are waiting.
        """
        if not self.loaded:
            raise StoreUnavailable("users were not read yet")
        digest = self._digest(login, password)
        fits = self._has_fitted(login, digest) or await self._check(login, password, digest)
        user = self._users.get(login)
        if not fits or user is None or role not in user.roles:
            return False
        return user.locked_until is None or user.locked_until <= now

    def close(self) -> None:
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def _check(self, login: str, password: str, digest: bytes) -> bool:
        """Run scrypt once for all who ask the same at the same time."""
        check = self._checks.get(digest)
        if check is None:
            if len(self._checks) >= _WAITING:
                raise StoreUnavailable("too many passwords are waiting to be checked")
            loop = asyncio.get_running_loop()
            user = self._users.get(login)
            check = loop.run_in_executor(self._thread, self._fits, password, user.hash if user else "")
            self._checks[digest] = check
            check.add_done_callback(lambda done: self._checked(login, digest, user, done))
        return await asyncio.shield(check)

    def _checked(self, login: str, digest: bytes, user: User | None, check: asyncio.Future[bool]) -> None:
        del self._checks[digest]
        if not check.cancelled() and not check.exception() and check.result() and self._users.get(login) == user:
            self._fitted[login] = digest

    def _fits(self, password: str, stored: str) -> bool:
        if not self._nobody:
            self._nobody = make_hash(os.urandom(16).hex())
        known = _HASH.fullmatch(stored) is not None
        return fits_hash(password, stored if known else self._nobody) and known

    def _has_fitted(self, login: str, digest: bytes) -> bool:
        return hmac.compare_digest(self._fitted.get(login, b""), digest)

    def _digest(self, login: str, password: str) -> bytes:
        name, secret = (text.encode("utf-8", "surrogatepass") for text in (login, password))
        return hmac.digest(self._secret, len(name).to_bytes(4, "big") + name + secret, "sha256")


async def follow(store: Store, logins: Logins, *, every: float = 3.0) -> None:
    """Keep *logins* as the store has them, until cancelled; while the store is away they stay as they were."""
    seen: Row | None = None
    while True:
        try:
            mark = await store.read(users_mark)
            if mark != seen:
                logins.load(await store.read(all_users))
                seen = mark
        except StoreUnavailable:
            seen = None
        await asyncio.sleep(every)


def _user(row: Row) -> User:
    login, stored, roles, created_at, updated_at, locked_until = row
    try:
        names = json.loads(roles)
    except ValueError as error:
        raise StoreError(f"roles of user {login} cannot be read") from error
    locked = from_us(locked_until) if locked_until is not None else None
    return User(login, stored, frozenset(names), from_us(created_at), from_us(updated_at), locked)


def _row_of(user: User) -> dict[str, str | int | None]:
    return {
        "login": user.login,
        "hash": user.hash,
        "roles": json.dumps(sorted(user.roles)),
        "created_at": to_us(user.created_at),
        "updated_at": to_us(user.updated_at),
        "locked_until": to_us(user.locked_until) if user.locked_until is not None else None,
    }
