"""What the provider's answers of the vectors (``fmt=3``) become, and how its reserve hosts are used."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bridge.config.models.providers import Provider
from bridge.config.secrets import SecretText
from bridge.errors import AccountPaused, DeliveryError, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers.base import Question
from bridge.providers.http import Answer, HttpClient
from bridge.providers.smsc_answers import (
    parse_answers,
    parse_balance,
    parse_price,
    parse_send,
    parse_status,
    parse_statuses,
)
from bridge.providers.smsc_http import SmscHttp

pytestmark = pytest.mark.anyio


def vectors(name: str) -> Any:
    return json.loads((Path(__file__).parents[2] / "vectors" / f"{name}.json").read_text(encoding="utf-8"))


def cases(name: str) -> list[Any]:
    """Those that are JSON, by their names."""
    found = [one for one in vectors(name)["cases"] if one["reply"].lstrip()[:1] in ("{", "[")]
    assert found
    return [pytest.param(one, id=one["name"]) for one in found]


@pytest.mark.parametrize("case", cases("send_http"))
async def test_an_answer_to_a_send_is_what_the_vectors_say(case: dict[str, Any]) -> None:
    body, parsed = case["reply"].encode(), case["parsed"]
    if not parsed["ok"]:
        with pytest.raises(DeliveryError) as caught:
            parse_send(body, "1234", repeat=False)
        assert caught.value.code == str(parsed["error_code"])
        return
    if parsed["id"] is None:
        assert parse_price(body).cost == Decimal(parsed["cost"])
        return
    accepted = parse_send(body, str(parsed["id"]), repeat=False)
    assert (accepted.provider_id, accepted.segments) == (str(parsed["id"]), parsed["cnt"])
    assert accepted.cost == (Decimal(parsed["cost"]) if parsed["cost"] else None)
    assert accepted.balance == (Decimal(parsed["balance"]) if parsed["balance"] else None)


@pytest.mark.parametrize("case", cases("status_http"))
async def test_a_status_is_what_the_vectors_say(case: dict[str, Any]) -> None:
    body = case["reply"].encode()
    if "error_code" in case.get("parsed", {}):
        with pytest.raises(TemporaryFailure if case["parsed"]["error_code"] == 9 else AccountPaused):
            parse_statuses(body, [])
        return
    if "parsed_first" in case:
        question = Question("+79990000000", str(case["parsed_first"]["id"]))
        found = parse_statuses(body, [question])[question]
        assert (found.state, str(found.cost)) == ("DELIVERED", case["parsed_first"]["cost"])
        assert found.network == "МегаФон, Россия"
        return
    assert (parse_status(body).code, parse_status(body).error) == (str(case["parsed"]["status"]), "0")


@pytest.mark.parametrize("case", cases("balance_http"))
async def test_a_balance_is_what_the_vectors_say(case: dict[str, Any]) -> None:
    if "error_code" in case["parsed"]:
        with pytest.raises(DeliveryError):
            parse_balance(case["reply"].encode())
        return
    found = parse_balance(case["reply"].encode())
    assert found.amount == Decimal(case["parsed"]["balance"])
    assert found.currency == case["parsed"].get("currency", "")
    assert found.credit == Decimal(case["parsed"].get("credit", 0))


@pytest.mark.parametrize("case", cases("get_answers_http"))
async def test_inbound_is_what_the_vectors_say(case: dict[str, Any]) -> None:
    parsed = case.get("parsed")
    if isinstance(parsed, Mapping):
        with pytest.raises(TemporaryFailure):
            parse_answers(case["reply"].encode())
        return
    found = parse_answers(case["reply"].encode())
    if parsed is None:
        assert [(one.text, one.call) for one in found] == [(case["parsed_message"], True)]
        return
    assert [(one.id, one.phone, one.text, one.to) for one in found] == [
        (str(one["id"]), f"+{one['phone']}", one["message"], one["to_phone"]) for one in parsed
    ]


# Details of a number (op=1)


async def test_the_provider_s_reason_for_our_number_says_more_than_the_code_of_the_request() -> None:
    detail = {"phone": "77010000001", "mccmnc": "", "cost": "0", "status": "23", "error": "253"}
    answer = {"error": "message is denied", "error_code": 6, "id": 1234, "phones": [detail]}
    with pytest.raises(PermanentFailure) as caught:
        parse_send(json.dumps(answer).encode(), "1234", repeat=False)
    assert (caught.value.reason, caught.value.code) == ("the spam filter took it", "6")


@pytest.mark.parametrize("phones", [None, [], "x", [7], [{}], [{"error": "?", "status": "x"}], [{}, {"error": "253"}]])
async def test_T37_odd_details_change_nothing(phones: object) -> None:
    answer = {"error": "x", "error_code": 6, "id": 1234, "phones": phones}
    with pytest.raises(PermanentFailure) as caught:
        parse_send(json.dumps(answer).encode(), "1234", repeat=False)
    assert caught.value.reason == "the text or the sender name is forbidden"


# Reserve hosts

PLAN = vectors("http_attempts")


class Hosts(HttpClient):
    """Notes who is asked; *ends* is how each of them ends."""

    def __init__(self, *ends: DeliveryError) -> None:
        super().__init__()
        self.ends = list(ends)
        self.asked: list[str] = []

    async def post(self, url: str, form: Mapping[str, str], *, within: float, most: int = 0) -> Answer:
        self.asked.append(url.split("/")[2])
        raise self.ends[min(len(self.asked), len(self.ends)) - 1]


def door(http: HttpClient) -> SmscHttp:
    hosts = [f"https://{attempt['host']}" for attempt in PLAN["attempts"]]
    settings = {"type": "smsc-http", "base_url": hosts[0], "reserve_urls": hosts[1:], "login": "a"}
    return SmscHttp("smsc", Provider.model_validate(settings), SecretText("b"), http)


async def test_reserve_hosts_are_asked_in_their_order_while_nothing_was_sent() -> None:
    http = Hosts(NotSent("refused"))
    with pytest.raises(TemporaryFailure):
        await door(http).balance()
    assert http.asked == [attempt["host"] for attempt in PLAN["attempts"]]


async def test_T36_a_request_that_may_have_left_is_repeated_at_no_other_host() -> None:
    http = Hosts(NotSent("refused"), OutcomeUnknown("no answer"), NotSent("refused"))
    with pytest.raises(TemporaryFailure):
        await door(http).balance()
    assert http.asked == [PLAN["attempts"][0]["host"], PLAN["attempts"][1]["host"]]
