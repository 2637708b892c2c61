"""The list of what an account has sent, and which row of it is a message of ours."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from bridge.errors import TemporaryFailure
from bridge.providers import smsc_answers, smsc_fields
from bridge.providers.base import StatusAnswer

T0 = datetime(2026, 11, 21, 3, 12, tzinfo=UTC)
OURS = {"phones": "77010000001", "mes": "12 CRIT db01: disk full"}
ROW = StatusAnswer("DELIVERED", "1", phone="77010000001", text="12 CRIT db01: disk full", sent_at=T0)


def test_rows_without_a_status_are_left_out_and_the_others_stay() -> None:
    rows = [{"status": 1, "phone": "77010000001", "message": "x", "send_timestamp": 1795230720}, {"phone": "7"}, 7,
            {"status": -3, "phone": "77010000001"}]  # fmt: skip
    (found,) = smsc_answers.parse_sent(json.dumps(rows).encode())
    assert (found.state, found.phone, found.text, found.sent_at) == ("DELIVERED", "77010000001", "x", T0)


@pytest.mark.parametrize(
    "body", [b"", b"<html>busy</html>", b'"x"', b"\xff", b'{"error": "busy", "error_code": 9}', b"{}", b"[" * 5000]
)
def test_T37_what_is_no_list_says_nothing(body: bytes) -> None:
    with pytest.raises(TemporaryFailure):
        smsc_answers.parse_sent(body)


def test_a_day_is_the_provider_s() -> None:
    assert smsc_answers.day(datetime(2026, 11, 20, 21, 30, tzinfo=UTC)) == "21.11.2026"


def test_a_row_is_the_message_when_phone_text_and_time_fit() -> None:
    assert smsc_fields.is_it(OURS, ROW, T0)
    assert smsc_fields.is_it(OURS, ROW, T0 + timedelta(seconds=30))


@pytest.mark.parametrize(
    "row",
    [
        StatusAnswer("DELIVERED", "1", phone="77010000002", text=OURS["mes"], sent_at=T0),
        StatusAnswer("DELIVERED", "1", phone="", text=OURS["mes"], sent_at=T0),
        StatusAnswer("DELIVERED", "1", phone=OURS["phones"], text=OURS["mes"][:9], sent_at=T0),
        StatusAnswer("DELIVERED", "1", phone=OURS["phones"], text="", sent_at=T0),
        StatusAnswer("DELIVERED", "1", phone=OURS["phones"], text=OURS["mes"]),
        StatusAnswer("DELIVERED", "1", phone=OURS["phones"], text=OURS["mes"], sent_at=T0 - timedelta(seconds=31)),
    ],
    ids=["another phone", "no phone", "the beginning", "no text", "no time", "a minute before"],
)
def test_what_fits_in_part_is_another_message(row: StatusAnswer) -> None:
    assert not smsc_fields.is_it(OURS, row, T0)
