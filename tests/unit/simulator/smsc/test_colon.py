"""The provider's reading of the colon line: it trusts every separator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.simulator.smsc.colon import read
from bridge.simulator.smsc.replies import Refused

BODIES = json.loads((Path(__file__).parents[3] / "vectors" / "smtp_bodies.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", BODIES["good"], ids=lambda case: case["name"])
def test_reads_the_lines_of_the_vectors(case: dict[str, Any]) -> None:
    line = read(bytes.fromhex(case["body_hex"]).decode(case["charset"]))
    found = {"login": line.login, "psw": line.psw, "id": line.id, "time": line.time, "tz": line.tz}
    found |= {"translit": line.translit, "fmt": line.format, "sender": line.sender, "test": line.test}
    found |= {"phones": line.phones, "mes": line.rest}
    assert {name: found[name] for name in case["input"]} == case["input"]


def test_an_empty_field_of_phones_makes_the_text_a_list_of_recipients() -> None:
    params = read(BODIES["list_mode_example"]["body"]).params(lists=True)
    assert params["list"] == "77010000001:first\n77010000002:second"
    assert "phones" not in params
    with pytest.raises(Refused):
        read(BODIES["list_mode_example"]["body"]).params(lists=False)


def test_a_comma_in_the_sender_is_the_test_field() -> None:
    assert read("demo:secret:1:0:0,0,A,1:77010000001:x").is_virtual
    assert not read("demo:secret:1:0:0,0,A:77010000001:x").is_virtual


def test_a_colon_in_the_password_shifts_the_fields() -> None:
    assert read("demo:se:cret:0:0,0,:77010000001:x").id == "cret"


def test_a_key_is_taken_where_the_login_is_empty() -> None:
    assert read(":KEY:1:0:0,0,:77010000001:x").params(lists=True)["apikey"] == "KEY"


@pytest.mark.parametrize("body", ["", "hello", "a:b:c:d:e:f", "demo:secret:1:0:0,12,:77010000001:x"])
def test_refuses_what_is_no_line(body: str) -> None:
    with pytest.raises(Refused):
        read(body).params(lists=True)


def test_only_what_stands_between_the_tags_counts() -> None:
    assert read("Dear all\n[text]demo:secret:1:0:0,0,:77010000001:a: b[/text]\n-- \nme").rest == "a: b"
