from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.user import ROLES, command
from bridge.store import users
from bridge.store.engine import Store

CONFIG = """\
listen: [{{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1}}]
domains: sms.example.kz
operator: {{mail: it@example.kz}}
outgoing_mail: {{relay: "smtp://mail.example.kz:25", from: sms@example.kz}}
region: KZ
store: "sqlite://{folder}/bridge.db"
people: {{asel: {{phone: "+77010000001"}}}}
providers: {{smsc: {{type: smsc-http, base_url: "https://smsc.kz", login: acme, password: {{env: X}}, currency: KZT}}}}
budgets: {{total: {{money: 2000 KZT/day}}}}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.yaml"
    path.write_text(CONFIG.format(folder=tmp_path))
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "10.yaml").write_text("rules: [{rule: all, to: asel}]\n")

    async def create() -> None:
        store = Store(tmp_path / "bridge.db")
        await store.open()
        store.close()

    asyncio.run(create())
    return path


def _run(config: Path, *words: str, stdin: str = "") -> Result:
    return CliRunner().invoke(command, ["-c", str(config), *words], input=stdin)


def test_roles_are_those_of_the_store() -> None:
    assert ROLES == users.ROLES


def test_a_user_is_added_listed_and_removed(config: Path) -> None:
    assert _run(config, "list").output == "No logins are there.\n"
    added = _run(config, "add", "zabbix", stdin="correct horse\n")
    assert (added.exit_code, added.output) == (0, "zabbix smtp\n")
    assert _run(config, "add", "asel", "--role", "viewer", "--role", "operator", stdin="12345678\n").exit_code == 0
    assert _run(config, "list").output == "asel    operator viewer\nzabbix  smtp\n"
    listed = json.loads(_run(config, "list", "--json").output)
    assert [(user["login"], user["locked_until"]) for user in listed] == [("asel", None), ("zabbix", None)]
    assert _run(config, "remove", "asel").output == "asel removed\n"
    assert _run(config, "unlock", "zabbix").output == "zabbix unlocked\n"
    assert _run(config, "list").output == "zabbix  smtp\n"


def test_T30_the_store_holds_a_hash_and_the_password_is_no_argument(config: Path) -> None:
    _run(config, "add", "zabbix", stdin="correct horse\n")
    assert b"correct horse" not in b"".join(file.read_bytes() for file in config.parent.glob("bridge.db*"))
    assert _run(config, "add", "nas", "correct horse").exit_code == 2


def test_a_login_that_is_there_is_replaced_only_when_asked(config: Path) -> None:
    _run(config, "add", "zabbix", stdin="correct horse\n")
    again = _run(config, "add", "zabbix", stdin="other horse\n")
    assert again.exit_code == 1
    assert "zabbix is there already" in again.output
    assert (
        _run(config, "add", "zabbix", "--replace", "--role", "admin", stdin="other horse\n").output == "zabbix admin\n"
    )


@pytest.mark.parametrize("verb", ["remove", "unlock"])
def test_an_unknown_login_is_said(config: Path, verb: str) -> None:
    result = _run(config, verb, "nobody")
    assert result.exit_code == 1
    assert result.output == f"smsbridge user {verb}: there is no login nobody. See: smsbridge user list\n"


@pytest.mark.parametrize(
    "login,stdin", [("zabbix", "short\n"), ("two words", "correct horse\n"), ("", "correct horse\n")]
)
def test_wrong_calls_change_nothing(config: Path, login: str, stdin: str) -> None:
    assert _run(config, "add", login, stdin=stdin).exit_code == 2
    assert _run(config, "list").output == "No logins are there.\n"


def test_configuration_and_store_must_be_usable(config: Path) -> None:
    assert _run(config.parent / "nothing.yaml", "list").exit_code == 78
    (config.parent / "bridge.db").unlink()
    missing = _run(config, "list")
    assert (missing.exit_code, "bridge.db here. smsbridge run makes one." in missing.output) == (78, True)
    assert not (config.parent / "bridge.db").exists()
    config.write_text("listen: 5\n")
    assert _run(config, "list").exit_code == 78
