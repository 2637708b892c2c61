"""Posts to a handler against the vectors: the same bodies, the same bytes under the same sums."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from bridge.simulator.settings import Handler, Switches
from bridge.simulator.smsc import callbacks

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "callbacks.json").read_text(encoding="utf-8"))
ADDRESS = "https://bridge.example/callbacks/smsc/PATHKEY"
# Forged and altered bodies are the reader's business; what a provider sends is what the others hold.
HONEST = [
    pytest.param(case, id=case["name"])
    for case in VECTORS["cases"]
    if case["expect"] != "reject" and not case["name"].startswith("err changed")
]


@pytest.mark.parametrize("case", HONEST)
def test_form_bodies_byte_for_byte_as_the_vectors(case: dict[str, Any]) -> None:
    to = callbacks.target(f"{ADDRESS}?{case['handler_query']}")

    content_type, body = callbacks.encode(case["kind"], case["fields"], to, Switches())

    assert content_type == VECTORS["form_content_type"]
    assert body.decode("ascii") == case["body_form"]


@pytest.mark.parametrize("case", HONEST)
def test_sums_run_over_the_bytes_of_the_vectors(case: dict[str, Any]) -> None:
    to = callbacks.target(f"{ADDRESS}?{case['handler_query']}")

    over = callbacks.check_bytes(case["kind"], case["fields"], to, Switches())

    assert over.hex() == case["check_string_hex"]
    made = {name: callbacks.checksum(name, over) for name in ("md5", "sha1")}
    made |= {f"crc32_{form}": callbacks.checksum("crc32", over, form) for form in ("unsigned", "signed", "hex")}
    assert made == case["sums"]


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in VECTORS["fmt_bodies"]])
def test_json_and_xml_bodies_as_the_vectors(case: dict[str, Any]) -> None:
    to = callbacks.target(f"{ADDRESS}?{case['handler_query']}")

    _, body = callbacks.encode(
        "status", {"id": "1234", "phone": "77010000001", "status": "1", "err": "0"}, to, Switches()
    )

    assert body.decode() == case["body"]


@pytest.mark.parametrize("case", VECTORS["handler_urls"], ids=lambda case: case["url"])
def test_handler_urls_split_as_the_vectors(case: dict[str, Any]) -> None:
    to = callbacks.target(case["url"])

    assert to.url == "https://bridge.example" + case["request_target"]
    assert dict(to.echoed) == case["echoed_post_fields"]
    assert (to.sum_name, to.secret) == ("md5", VECTORS["secret"])


def test_echo_of_charset_and_of_everything_are_switches() -> None:
    url = f"{ADDRESS}?charset=utf-8&tenant=a"

    assert callbacks.target(url, echo_charset=True).echoed == (("charset", "utf-8"), ("tenant", "a"))
    assert callbacks.target(url, echo=False).echoed == ()


def test_koi8_is_not_used_for_json() -> None:
    assert callbacks.target(f"{ADDRESS}?fmt=3&charset=koi8-r").codec == "utf-8"


def test_an_unsigned_handler_gets_no_sum() -> None:
    _, body = callbacks.encode("status", {"id": "1"}, callbacks.target(ADDRESS), Switches())

    assert body == b"id=1"


def test_the_shown_url_hides_the_secret() -> None:
    assert callbacks.masked_url(f"{ADDRESS}?charset=utf-8&sha1=hush") == f"{ADDRESS}?charset=utf-8&sha1=***"
    assert callbacks.masked_url(ADDRESS) == ADDRESS


def posts(world: Any) -> list[dict[str, str]]:
    return [dict(parse_qsl(body.decode(), keep_blank_values=True)) for body in world.posted()]


def handle(world: Any, query: str = "charset=utf-8&md5=hush", **which: bool) -> None:
    world.simulator.air.handlers = (Handler(url=f"{ADDRESS}?{query}", **which),)


def test_each_state_is_posted_with_its_fields(world: Any) -> None:
    handle(world)
    world.send(id="1234")
    world.clock.forward(60)
    world.simulator.messages()

    first, last = posts(world)
    assert (first["status"], last["status"]) == ("0", "1")
    assert list(last) == ["id", "phone", "status", "err", "time", "ts", "cnt", "cost", "type", "md5"]
    assert (last["id"], last["cost"], last["time"]) == ("1234", "1.40", "21.11.2025 10:00:00")


@pytest.mark.parametrize(
    ("receipts", "statuses"),
    [
        ("normal", ["0", "1"]),
        ("none", []),
        ("lost", []),
        ("twice", ["0", "0", "1", "1"]),
        ("reversed", ["1", "0"]),
    ],
)
def test_F09_receipts_come_as_the_fault_says(world: Any, receipts: str, statuses: list[str]) -> None:
    handle(world)
    world.simulator.set_faults({"smsc": {"all": {"receipts": receipts}}})
    world.send()
    world.clock.forward(60)
    world.simulator.messages()

    assert [post["status"] for post in posts(world)] == statuses


def test_hlr_and_mail_posts_carry_their_extras(world: Any) -> None:
    handle(world)
    world.send(mes="", hlr="1")
    world.send(phones="a@b.example", mail="1", sender="c@d.example", mes="x")
    world.clock.forward(60)
    world.simulator.messages()

    by_phone = {post["phone"]: post for post in posts(world)}
    assert by_phone["77010000001"]["imsi"] == "250023012345678"
    assert by_phone["a@b.example"]["flag"] == "40"


def test_an_answer_is_posted_only_where_inbound_is_wanted(world: Any) -> None:
    handle(world, inbound=False)
    world.simulator.reply("77010000001", "ok", "77770000000")
    assert posts(world) == []

    handle(world, statuses=False)
    world.simulator.reply("77010000001", "принял", "77770000000")
    (post,) = posts(world)
    assert list(post) == ["phone", "mes", "to", "id", "md5"]
    assert post["mes"] == "принял"


def test_a_call_is_posted_as_inbound_call(world: Any) -> None:
    handle(world)
    world.simulator.call("+77010000001", "+77770000000")

    (post,) = posts(world)
    assert (post["mes"], post["to"]) == ("[CALL]", "77770000000")


@pytest.mark.parametrize("with_mes", [False, True])
def test_a_confirmation_call_is_posted_once_within_its_quarter_of_an_hour(world: Any, with_mes: bool) -> None:
    handle(world)
    world.switch(waitcall_with_mes=with_mes)
    world.ask("wait_call", phone="77010000001")
    world.clock.forward(900)
    world.simulator.call("77010000001", "77770000001")
    world.simulator.call("77010000001", "77770000001")

    first, second = posts(world)
    assert first["waitcall"] == "77770000001"
    assert ("mes" in first) is with_mes
    assert second["mes"] == "[CALL]"


def test_a_late_confirmation_call_is_an_ordinary_one(world: Any) -> None:
    handle(world)
    world.ask("wait_call", phone="77010000001")
    world.clock.forward(901)
    world.simulator.call("77010000001", "77770000001")

    assert posts(world)[0]["mes"] == "[CALL]"


def test_switches_leave_out_err_and_add_fields(world: Any) -> None:
    handle(world)
    world.switch(omit_err=True, extra_fields={"syserr": "7"})
    world.send()
    world.clock.forward(60)
    world.simulator.messages()

    post = posts(world)[0]
    assert "err" not in post
    assert post["syserr"] == "7"


def test_an_account_may_report_each_part(world: Any) -> None:
    handle(world)
    world.switch(status_parts=True)
    world.send(mes="x" * 161)
    world.clock.forward(60)
    world.simulator.messages()

    assert [post["status"] for post in posts(world)] == ["0", "0", "1", "1"]
