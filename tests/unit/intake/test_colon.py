from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import PermanentFailure
from bridge.intake.colon import MASK, masked, read_line
from bridge.providers.smsc_colon import Record, encode
from bridge.simulator.smsc import colon as simulator

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/smtp_bodies.json").read_text("utf-8"))
GOOD: list[dict[str, Any]] = VECTORS["good"]
REFUSED: list[dict[str, Any]] = VECTORS["must_be_refused"]
LINE = "demo:secret:{id}:{time}{tz}:{translit},{fmt},{sender}{test}:{phones}:{mes}"
PLAIN = {"id": "0", "time": "0", "tz": "", "translit": "0", "fmt": "0", "sender": "", "test": ""}
LATER = {"time", "tz", "test"}  # what a program may ask and this door refuses by name


def _written(given: dict[str, str]) -> str:
    values = {**PLAIN, "phones": "77010000001", "mes": "x", **given}
    values["tz"] = f",{given['tz']}" if given.get("tz") else ""
    values["test"] = f",{given['test']}" if given.get("test") else ""
    login, psw = given.get("login", "demo"), given.get("psw", "secret")
    return LINE.replace("demo:secret", f"{login}:{psw}").format(**values)


@pytest.mark.parametrize("vector", GOOD, ids=lambda vector: vector["name"])
def test_reads_what_the_libraries_write(vector: dict[str, Any]) -> None:
    wanted = vector["input"]
    line = read_line(bytes.fromhex(vector["body_hex"]).decode(vector["charset"]))
    assert line is not None
    assert (line.login, line.password) == (wanted.get("login", ""), wanted["psw"])
    if wanted.get("time", "0") not in ("", "0") or wanted.get("test"):
        assert line.wrong in ("sending at another time is not taken", "a test record is not sent")
    else:
        assert line.wrong == ""
        assert line.phones == tuple(wanted["phones"].replace(";", ",").split(","))
        assert (line.text, line.sender, line.id) == (wanted["mes"], wanted.get("sender", ""), wanted.get("id", ""))


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_T12_a_slipped_field_is_never_a_recipient(vector: dict[str, Any]) -> None:
    wanted = vector["input"]
    line = read_line(_written(wanted))
    slipped = line is None or line.wrong != "" or (line.login, line.password) != ("demo", "secret")
    harmless = "[text]" in wanted.get("mes", "")  # the part between the tags is the record, and it is none
    assert slipped or harmless
    if line is not None and not line.wrong and (line.login, line.password) == ("demo", "secret"):
        assert line.phones == ("77010000001",)


@pytest.mark.parametrize(
    "line, wrong",
    [
        ("demo:secret:0:0:0,0,::77010000009:send me", "a list in the text is not taken"),
        ("demo:secret:0:0:0,0,:G1:x", "wrong number"),
        ("demo:secret:0:0:0,0,:77010000001;G7:x", "wrong number"),
        ("demo:secret:0:0:0,0,:77010000001\n77010000002:x", "wrong number"),
        ("demo:secret:0:0:0,9,:77010000001:x", "only SMS are taken"),
        ("demo:secret:0:0:0,10,:77010000001:x", "only SMS are taken"),
        ("demo:secret:0:0:0,0,,1:77010000001:x", "a test record is not sent"),
        ("demo:secret:0:0:0,0,A,1,2:77010000001:x", "wrong format"),
        ("demo:secret:0:10-18:0,0,:77010000001:x", "sending at another time is not taken"),
        ("demo:secret:a b:0:0,0,:77010000001:x", "wrong format"),
        ("demo:secret:0:0:0,0,:77010000001: \n", "no text"),
    ],
)
def test_T12_what_this_door_does_not_do_is_refused_by_name(line: str, wrong: str) -> None:
    read = read_line(line)
    assert read is not None
    assert (read.wrong, read.phones) == (wrong, ())


@pytest.mark.parametrize("body", ["", "hello", "a:b:c", "demo:secret:0:0:0,0,", "demo::0:0:0,0,:77010000001:x"])
def test_a_mail_without_the_seven_fields_is_no_record(body: str) -> None:
    assert read_line(body) is None


@pytest.mark.parametrize("group", ["", "0", "0,0", ",,", "0,0,", "0,0,TRADE", "1,1,TRADE,0"])
def test_fields_that_old_libraries_leave_out_are_left_out(group: str) -> None:
    line = read_line(f"demo:secret:::{group}:+77010000001, 77010000002:x")
    assert line is not None
    assert (line.wrong, line.phones) == ("", ("+77010000001", "77010000002"))


def test_a_record_between_text_tags_is_cut_out() -> None:
    line = read_line("Our disclaimer: x\n[TEXT]demo:secret:0:0:0,0,:77010000001:a: 1\nb: 2[/text]\nmore")
    assert line is not None
    assert (line.login, line.text) == ("demo", "a: 1\nb: 2")


def test_T29_a_record_does_not_print_its_password() -> None:
    assert "secret" not in repr(read_line("demo:secret:0:0:0,0,:77010000001:x"))


@pytest.mark.parametrize(
    "body, kept",
    [
        ("demo:secret:0:0:0,0,:77010000001:x", f"demo:{MASK}:0:0:0,0,:77010000001:x"),
        (":secret:0:0:0,0,:77010000001:x", f":{MASK}:0:0:0,0,:77010000001:x"),
        ("demo:secret", f"demo:{MASK}"),
        ("hi\n[text]demo:secret:0:0[/text]", f"hi\n[text]demo:{MASK}:0:0[/text]"),
        ("no colon at all", "no colon at all"),
    ],
)
def test_T29_what_is_kept_holds_no_password(body: str, kept: str) -> None:
    assert masked(body) == kept


@given(st.text(max_size=300))
def test_T12_any_text_is_a_record_or_none_and_a_sent_one_has_phones(body: str) -> None:
    line = read_line(body)
    if line is not None and not line.wrong:
        assert line.phones
        assert all(phone.lstrip("+").isascii() for phone in line.phones)
        assert line.text


@given(
    mes=st.text(min_size=1, max_size=80).filter(lambda text: text.strip() and "\x00" not in text),
    sender=st.text(st.characters(codec="ascii", categories=["L", "N"]), max_size=11),
    phones=st.lists(st.from_regex(r"77[0-9]{9}", fullmatch=True), min_size=1, max_size=3, unique=True),
)
def test_T12_reads_what_our_own_door_writes_as_the_simulator_reads_it(mes: str, sender: str, phones: list[str]) -> None:
    try:
        body = encode("demo", "secret", Record(phones=",".join(phones), mes=mes, sender=sender))
    except PermanentFailure:
        return
    ours, theirs = read_line(body), simulator.read(body)
    assert ours is not None
    assert ours.wrong == ""
    assert (ours.phones, ours.sender) == (tuple(theirs.phones.split(",")), theirs.sender)
    assert ours.text == theirs.rest.strip()
