"""Programs as an operator starts them: real processes on loopback, ended by their own number and nobody else's.

Reading all modules takes a second, and a test that kills fifty bridges has no fifty seconds for that. So a *nursery*
(this file, run as a program) reads them once and forks a process for each start; what runs in it is
``bridge.cli.main.run`` with the arguments of the command line, nothing less.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import cycle
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")
ROOT = Path(__file__).parents[2]
_PRELOADED = ("bridge.cli.main", "bridge.cli.run", "bridge.cli.demo", "bridge.cli.simulator", "bridge.app.serve",
              "bridge.app.demo", "bridge.book.loading", "bridge.simulator.serve", "bridge.cli.check")  # fmt: skip


# --- the test's side -----------------------------------------------------------------------------


@dataclass
class Program:
    """One process; *out* and *err* are the files it writes to."""

    nursery: Nursery
    pid: int
    out: Path
    err: Path
    code: int | None = None

    def send(self, number: int) -> None:
        os.kill(self.pid, number)

    def kill(self) -> None:
        """kill -9: no handler, no flush, no goodbye."""
        if self.code is None:
            self.send(signal.SIGKILL)
            self.wait()

    def wait(self, within: float = 30) -> int:
        """Its exit code; minus the signal's number when a signal ended it."""
        if self.code is None:
            self.code = self.nursery.ask({"wait": self.pid, "within": within})["code"]
        assert self.code is not None, f"still running after {within} s\n{self.said()}"
        return self.code

    def running(self) -> bool:
        if self.code is None:
            self.code = self.nursery.ask({"wait": self.pid, "within": 0})["code"]
        return self.code is None

    def said(self) -> str:
        return self.out.read_text() + self.err.read_text()


@dataclass
class Nursery:
    """Starts programs in *folder*."""

    folder: Path
    process: subprocess.Popen[str]
    programs: list[Program] = field(default_factory=list)

    def ask(self, command: dict[str, Any]) -> dict[str, Any]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps(command), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def start(self, *arguments: str | Path, variant: str = "", **environment: str) -> Program:
        """``smsbridge`` with *arguments*; *variant* is a spoilt one, see :func:`_spoil`."""
        number = len(self.programs)
        out, err = self.folder / f"{number}.out", self.folder / f"{number}.err"
        command = {"argv": [str(one) for one in arguments], "variant": variant, "env": environment}
        pid = self.ask(command | {"out": str(out), "err": str(err)})["pid"]
        self.programs.append(Program(self, pid, out, err))
        return self.programs[-1]


@contextmanager
def nursery(folder: Path) -> Iterator[Nursery]:
    """What was started inside the block and still runs is killed at its end."""
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "tests.acceptance.process"]
    process = subprocess.Popen(command, cwd=ROOT, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    made = Nursery(folder, process)
    try:
        yield made
    finally:
        for program in made.programs:
            program.kill()
        assert process.stdin is not None
        process.stdin.close()
        process.wait(10)
        assert process.stdout is not None
        process.stdout.close()


_PORTS = cycle(range(20_000 + os.getpid() * 37 % 11_000, 32_000))  # below those the system hands out by itself


def free_port() -> int:
    """A port nobody listens on, and that no other test is told of before it is used."""
    for port in _PORTS:
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("there is always another port")


def until(look: Callable[[], T], what: str, within: float = 15) -> T:
    """What *look* gives as soon as it gives something."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.01)
    raise AssertionError(f"{what} did not happen within {within} s")


def answers(port: int) -> bool:
    """Whether somebody listens there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def ask(url: str, body: object = None, method: str = "") -> Any:
    """JSON of an HTTP address; with *body* it is sent there."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data=data, method=method or ("POST" if data else "GET"))  # noqa: S310
    with urllib.request.urlopen(request, timeout=10) as response:  # noqa: S310 - loopback
        return json.loads(response.read() or b"null")


# --- a whole office: provider, mail inbox, bridge ------------------------------------------------

CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:{smtp}", trust: 127.0.0.0/8}}
  - {{door: http, address: "127.0.0.1:{http}"}}
domains: bridge.test
node: {node}
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:{inbox}", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
store: sqlite:///{folder}/bridge.db
people:
  aigul: {{name: Aigul, phone: "+77010000001", email: aigul@bridge.test}}
  ivan: {{name: Ivan, phone: "+77010000002"}}
teams: {{both: {{members: [aigul, ivan]}}}}
providers:
  smsc: {{type: smsc-http, base_url: "http://127.0.0.1:{gateway}", login: demo, password: {{file: {folder}/password}},
         insecure: true, prices: {{"+7": 18.00}}{provider}}}
budgets: {{total: {{money: 1000000 KZT/day}}}}
storm: {{over: 1000000 in 5m}}
"""
RULES = """
rules:
  - {rule: both, when: {recipient: both@bridge.test}, to: both, text: "{{ title }}"}
  - {rule: plain, when: {recipient: plain@bridge.test}, to: aigul, track: false, text: "{{ title }}"}
  - {rule: talk, when: {recipient: talk@bridge.test}, to: aigul}
"""
SECRET = "secret"  # the pretend provider's own, see bridge.simulator.simulator.DEMO
CALLBACK = ', number: "+77770000000", callbacks: {{path: {{file: {folder}/path}}, secret: {{file: {folder}/callback}}}}'


@dataclass
class Office:
    """One configuration on disk, with a simulator that runs."""

    nursery: Nursery
    folder: Path
    smtp: int
    http: int
    gateway: int
    simulator: Program

    @property
    def config(self) -> Path:
        return self.folder / "config.yaml"

    @property
    def store(self) -> Path:
        return self.folder / "bridge.db"

    def run(self, *arguments: str, ready: bool = True, variant: str = "") -> Program:
        program = self.nursery.start("run", "-c", self.config, *arguments, variant=variant)
        if ready:
            until(lambda: answers(self.smtp) or not program.running(), "the mail door")
            assert program.running(), program.said()
        return program

    def messages(self, phone: str = "") -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(f"http://127.0.0.1:{self.gateway}/sim/messages?phone={phone}")
        return found

    def mails(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = ask(f"http://127.0.0.1:{self.gateway}/sim/mail")
        return found

    def simulate(self, what: str, body: object) -> None:
        """``PUT /sim/<what>``."""
        ask(f"http://127.0.0.1:{self.gateway}/sim/{what}", body, "PUT")

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """A look into the store, beside whoever uses it."""
        import sqlite3

        connection = sqlite3.connect(f"file:{self.store}?mode=ro", uri=True, timeout=10)
        try:
            return connection.execute(sql).fetchall()
        finally:
            connection.close()


WIDE = {"identical_seconds": 0, "connections": 100_000, "status_a_minute": 10**6, "status_lists_a_minute": 10**6,
        "status_connections": 10**6, "balance_a_minute": 10**6, "flood_messages": 10**9}  # fmt: skip
"""No limit hides anything; above all nobody but the bridge itself keeps a message from being sent twice."""


def office(nursery: Nursery, folder: Path, *, talks: bool = False, rules: str = RULES) -> Office:
    """A simulator that runs, and the files of a bridge; *talks*: receipts and answers come back by callback."""
    folder.mkdir(exist_ok=True)
    gateway, inbox, smtp, http = free_port(), free_port(), free_port(), free_port()
    simulator = nursery.start("simulator", "--http", f"127.0.0.1:{gateway}", "--smtp", f"127.0.0.1:{inbox}")
    values = {"smtp": smtp, "http": http, "gateway": gateway, "inbox": inbox, "folder": folder, "node": "n1"}
    values["provider"] = CALLBACK.format(folder=folder) if talks else ""
    secrets = {"password": SECRET, "path": "p" * 32, "callback": "c" * 32}
    for name, secret in secrets.items():
        (folder / name).touch(0o600)
        (folder / name).write_text(secret)
    (folder / "config.yaml").write_text(CONFIG.format(**values))
    (folder / "rules").mkdir(exist_ok=True)
    (folder / "rules" / "10.yaml").write_text(rules)
    made = Office(nursery, folder, smtp, http, gateway, simulator)
    until(lambda: answers(gateway) and answers(inbox), "the simulator")
    if talks:
        url = f"http://127.0.0.1:{http}/callbacks/smsc/{secrets['path']}?charset=utf-8&sha1={secrets['callback']}"
        made.simulate("handlers", {"url": url})
    return made


# --- the nursery's side --------------------------------------------------------------------------


def _main() -> None:
    for name in _PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        command = json.loads(line)
        answer = {"code": _wait(command["wait"], command["within"])} if "wait" in command else {"pid": _fork(command)}
        print(json.dumps(answer), flush=True)  # noqa: T201 - this is how it answers


def _fork(command: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 70
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: nobody outlives the test
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        for number, name in ((1, "out"), (2, "err")):
            os.dup2(os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), number)
        os.environ.update(command["env"])
        if command["variant"]:
            _spoil(command["variant"])
        from bridge.cli.main import run

        code = run(command["argv"])
    except SystemExit as ended:
        code = ended.code if isinstance(ended.code, int) else 1
    except BaseException:  # noqa: BLE001 - a test must see what a person would see
        import traceback

        traceback.print_exc()
        code = 1
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(pid: int, within: float) -> int | None:
    deadline = time.monotonic() + within
    while True:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        if time.monotonic() >= deadline:
            return None
        time.sleep(0.005)


def _spoil(variant: str) -> None:
    """Programs with a known fault, to see that a test finds it."""
    import asyncio

    from bridge.app.bridge import Bridge

    keep = Bridge.keep
    later: set[asyncio.Task[int]] = set()

    async def early(self: Bridge, envelope: Any) -> int:
        """Answers 250 first and commits a little later."""

        async def commit() -> int:
            await asyncio.sleep(0.1)
            return await keep(self, envelope)

        task = asyncio.create_task(commit())
        later.add(task)
        task.add_done_callback(later.discard)
        return 0

    async def twice(self: Bridge, envelope: Any) -> int:
        """Keeps every mail as two."""
        from dataclasses import replace

        changed = envelope.content.replace(b"Message-ID: <", b"Message-ID: <again.")
        changed = changed.replace(b"Subject: ", b"Subject: again ")  # the same words would have to wait for a minute
        await keep(self, replace(envelope, content=changed))
        return await keep(self, envelope)

    if variant == "no floor":
        import bridge.app.bridge

        bridge.app.bridge.DISK_FLOOR = -(1 << 40)  # so that the disk itself is what ends
        return
    Bridge.keep = {"early": early, "twice": twice}[variant]  # type: ignore[method-assign]


if __name__ == "__main__":
    _main()
