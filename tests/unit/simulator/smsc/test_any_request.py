"""Whatever is asked, a door answers in the form of its manual."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

NAMES = [
    *("phones", "mes", "list", "id", "sender", "translit", "time", "tz", "valid", "maxsms", "charset", "cost", "fmt"),
    *("flash", "bin", "hlr", "ping", "mail", "call", "op", "err", "phone", "all", "del", "get_answers", "get_messages"),
    *("after_id", "hour", "cnt", "start", "end", "prev_id", "get_operator"),
]
ODD = st.sampled_from(
    [
        *("0", "1", "2", "3", "77010000001", "77010000001,G1;8", "1,", ",", "x" * 1001, "9" * 5000, "+5", "-1", "٣"),
        *("0" + "9" * 20, "00000000000", "32.13.99 25:61", "1-2", "24-99", "nan", "1e999", "__CALL__", "~~~", "\x00"),
    ]
)


@pytest.mark.parametrize("door", ["send", "status", "balance", "get", "info", "wait_call"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(params=st.dictionaries(st.sampled_from(NAMES), ODD | st.text(max_size=12)))
def test_never_raises_and_json_is_json(world: Any, door: str, params: dict[str, str]) -> None:
    world.limit(bad_requests_a_minute=10_000_000)
    form = urlencode({"login": "demo", "psw": "secret"} | params, errors="replace").encode()
    raw = world.raw(door, form)

    answer = world.simulator.smsc.answer(raw, world.simulator.smsc.meet(raw)).body.decode(raw.asked.charset or "cp1251")

    if raw.asked.fmt == 3:
        assert isinstance(json.loads(answer), dict | list)
    elif raw.asked.fmt == 1 and door == "send":
        assert re.fullmatch(r"[A-Za-z0-9._-]+,-?[0-9]+(,[0-9.]+)*", answer)
    else:
        assert isinstance(answer, str)


@given(st.binary(max_size=200), st.sampled_from(["application/json", "multipart/form-data; boundary=b", "text/x", ""]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_are_a_request(world: Any, body: bytes, kind: str) -> None:
    raw = replace(world.raw("send", body), content_type=kind, query=body)

    assert world.simulator.smsc.answer(raw, world.simulator.smsc.meet(raw)).body != b""
    assert isinstance(raw.shown()[0], str)
