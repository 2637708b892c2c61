"""Every gateway door as an operator tries it: ``smsbridge doctor`` and ``smsbridge send --via DOOR --wait``.

The simulator runs in a process of its own with all its doors open; nothing between it and the bridge is played.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.acceptance.process import SECRET, Nursery, Program, answers, ask, free_port, nursery, until

CONFIG = """
listen:
  - {{door: smtp, address: "127.0.0.1:{smtp}", trust: 127.0.0.0/8}}
  - {{door: http, address: "127.0.0.1:{http}"}}
domains: bridge.test
node: n1
operator: {{mail: operator@bridge.test}}
outgoing_mail: {{relay: "smtp://127.0.0.1:{inbox}", from: sms@bridge.test, tls: "off"}}
region: KZ
timezone: Asia/Almaty
currency: KZT
store: sqlite://{folder}/bridge.db
people: {{asel: {{phone: "+77010000001"}}}}
providers:
  smsc: {{type: smsc-http, base_url: "http://127.0.0.1:{gate}", {login}, number: "+77770000000"}}
  by-mail: {{type: smsc-smtp, relay: "smtp://127.0.0.1:{inbox}", to: send@send.smsc.test, tls: "off", {login},
            mail_from: bounce@bridge.test, status: smsc}}
  smpp: {{type: smsc-smpp, hosts: ["127.0.0.1:{smpp}"], tls: "off", {login}, status: smsc}}
  gate-json: {{type: smsgate-json, base_url: "http://127.0.0.1:{gate}", {login}, sender: ACME, currency: KZT}}
  gate-xml: {{type: smsgate-xml, base_url: "http://127.0.0.1:{gate}", {login}, sender: ACME, currency: KZT}}
  gate-get: {{type: smsgate-get, base_url: "http://127.0.0.1:{gate}", {login}, sender: ACME, currency: KZT}}
  plain:
    type: plain-http
    base_url: "http://127.0.0.1:{gate}/sys/send.php"
    login: demo
    password: {{file: "{folder}/password"}}
    request: {{login: "{{login}}", psw: "{{password}}", phones: "{{phone}}", mes: "{{text}}", charset: utf-8}}
    success: "OK - [0-9]+ SMS, ID - (?P<id>[0-9]+)"
budgets: {{total: {{money: 1000000 KZT/day}}}}
"""
DOORS = ("smsc", "by-mail", "smpp", "gate-json", "gate-xml", "gate-get", "plain")


@dataclass
class Yard:
    """A configuration with every door, and the simulator behind all of them."""

    nursery: Nursery
    folder: Path
    gate: int
    http: int

    def start(self, *arguments: str) -> Program:
        return self.nursery.start(arguments[0], "-c", self.folder / "config.yaml", *arguments[1:])

    def on_phone(self, text: str) -> list[str]:
        found = ask(f"http://127.0.0.1:{self.gate}/sim/messages?phone=77010000001")
        return [one["text"] for one in found if one["text"] == text]


@pytest.fixture(scope="module")
def yard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Yard]:
    folder = tmp_path_factory.mktemp("yard")
    gate, inbox, smpp, smtp, http = (free_port() for _ in range(5))
    (folder / "password").touch(0o600)
    (folder / "password").write_text(SECRET)
    (folder / "rules").mkdir()
    (folder / "rules" / "10.yaml").write_text("rules: [{rule: all, to: asel}]\n")
    login = f'login: demo, password: {{file: "{folder}/password"}}'
    places = {"gate": gate, "inbox": inbox, "smpp": smpp, "smtp": smtp, "http": http}
    (folder / "config.yaml").write_text(CONFIG.format(folder=folder, login=login, **places))
    with nursery(tmp_path_factory.mktemp("programs")) as programs:
        doors = ("--http", f"127.0.0.1:{gate}", "--smtp", f"127.0.0.1:{inbox}", "--smpp", f"127.0.0.1:{smpp}")
        programs.start("simulator", *doors)
        until(lambda: all(answers(port) for port in (gate, inbox, smpp)), "the simulator")
        yield Yard(programs, folder, gate, http)


@pytest.fixture(scope="module")
def running(yard: Yard) -> Program:
    """The bridge over it, ready."""
    bridge = yard.start("run")
    until(lambda: answers(yard.http) and ask(f"http://127.0.0.1:{yard.http}/readyz")["ready"], "the bridge is ready")
    return bridge


@pytest.mark.usefixtures("running")
def test_doctor_finds_every_door_well_beside_a_running_bridge(yard: Yard) -> None:
    doctor = yard.start("doctor", "--json")
    assert doctor.wait() == 0, doctor.said()
    found = [one for one in json.loads(doctor.out.read_text()) if one["mark"] != "look"]
    of_doors = {name: one for one in found if (name := one["about"].split()[0]) in DOORS}
    assert {name: one["mark"] for name, one in of_doors.items()} == dict.fromkeys(DOORS, "ok")
    assert of_doors["smpp"]["what"].startswith("login fits, enquire_link answered, no TLS, ")
    assert of_doors["by-mail"]["what"].endswith("takes mails from bounce+0.0@bridge.test to send@send.smsc.test")


_SAYS_NOTHING = "this gateway says nothing about a message it took; nothing is described under status:"
_LIFE = {
    "smsc": ["taken by smsc, waiting for the receipt …", "delivered after {s}, 18.00 KZT"],
    "by-mail": ["handed to the mail relay of by-mail, waiting to hear of it …", "delivered after {s}, 18.00 KZT"],
    "smpp": ["taken by smpp, waiting for the receipt …", "delivered after {s}"],
    "gate-json": ["taken by gate-json, waiting for the receipt …", "delivered after {s}, 18.00 KZT"],
    "gate-xml": ["taken by gate-xml, waiting for the receipt …", "delivered after {s}, 18.00 KZT"],
    "gate-get": ["taken by gate-get, waiting for the receipt …", "delivered after {s}"],
    "plain": ["taken by plain, waiting for the receipt …", f"nothing more can be known from here: {_SAYS_NOTHING}"],
}


def _told(program: Program) -> list[str]:
    """The lines without the message's number and phone; seconds as ``{s}``, a price that is not asked for left out."""
    lines = [re.sub(r"^\d+ to \+77010000001: ", "", line) for line in program.out.read_text().splitlines()]
    return [re.sub(r"after [0-9.]+ s", "after {s}", line) for line in lines]


@pytest.mark.usefixtures("running")
@pytest.mark.parametrize("door", DOORS)
def test_send_by_each_door_prints_the_life_of_the_message(yard: Yard, door: str) -> None:
    text = f"hello by {door}"
    program = yard.start("send", "--via", door, "--direct", "--wait", "--within", "25", "asel", text)
    code = program.wait(40)
    assert _told(program) == _LIFE[door], program.said()
    assert (code, program.err.read_text()) == (75 if door == "plain" else 0, "")
    assert yard.on_phone(text) == [text]


@pytest.mark.usefixtures("running")
def test_send_through_the_running_bridge_is_told_of_the_receipt_that_came_over_its_link(yard: Yard) -> None:
    program = yard.start("send", "--via", "smpp", "--wait", "--within", "25", "asel", "hello by the bridge")
    assert program.wait(40) == 0, program.said()
    told = _told(program)
    assert (told[0], told[-1]) == ("kept, waits for the bridge", "delivered after {s}")
    assert "taken by smpp, waiting for the receipt …" in told
    assert yard.on_phone("hello by the bridge") == ["hello by the bridge"]
