"""Every number of the provider has one meaning for us."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bridge.errors import AccountPaused, NotSent, OutcomeUnknown, PermanentFailure, TemporaryFailure
from bridge.providers import smsc_codes

VECTORS = Path(__file__).parents[2] / "vectors"
ERRORS = json.loads((VECTORS / "send_errors.json").read_text())["codes"]
STATUSES = json.loads((VECTORS / "status_codes.json").read_text())["codes"]
NETWORK = json.loads((VECTORS / "err_codes.json").read_text())["codes"]


@pytest.mark.parametrize(
    ("code", "kind", "status"),
    [
        ("1", PermanentFailure, "5.5.4"),
        ("2", AccountPaused, "4.7.0"),
        ("3", AccountPaused, "4.7.0"),
        ("4", AccountPaused, "4.7.0"),
        ("5", PermanentFailure, "5.5.4"),
        ("6", PermanentFailure, "5.7.1"),
        ("7", PermanentFailure, "5.1.3"),
        ("8", PermanentFailure, "5.1.2"),
        ("9", NotSent, "4.4.1"),
    ],
)
def test_F24_each_error_of_send_says_whether_it_may_be_tried_again(code: str, kind: type, status: str) -> None:
    error = smsc_codes.refused(code, repeat=False)
    assert type(error) is kind
    assert (error.status, error.code) == (status, code)


def test_the_list_of_known_errors_is_the_provider_s() -> None:
    assert {str(one["code"]) for one in ERRORS} == smsc_codes.KNOWN_ERRORS


def test_F24_money_password_and_block_are_told_apart() -> None:
    causes = {code: smsc_codes.refused(code, repeat=False) for code in ("2", "3", "4")}
    assert [e.cause for e in causes.values() if isinstance(e, AccountPaused)] == ["password", "money", "blocked"]


def test_a_double_on_a_first_attempt_waits_a_minute() -> None:
    error = smsc_codes.refused("9", repeat=False)
    assert isinstance(error, NotSent)
    assert error.retry_after == 61


def test_a_double_after_a_doubtful_attempt_proves_nothing() -> None:
    assert isinstance(smsc_codes.refused("9", repeat=True), OutcomeUnknown)


@pytest.mark.parametrize("repeat", [True, False])
def test_an_unknown_error_is_temporary_and_keeps_its_number(repeat: bool) -> None:
    error = smsc_codes.refused("17", repeat=repeat)
    assert isinstance(error, TemporaryFailure)
    assert error.code == "17"


@pytest.mark.parametrize("status", STATUSES, ids=lambda one: one["key"])
def test_each_status_has_a_state(status: dict[str, Any]) -> None:
    state = smsc_codes.state(str(status["code"]))
    if status["key"] == "not_found":
        assert state is None
    elif status["success"]:
        assert state == "DELIVERED"
    elif not status["final"]:
        assert state == "ACCEPTED"
    else:
        assert state == ("EXPIRED" if status["key"] == "expired" else "UNDELIVERED")


def test_an_unknown_status_is_under_way_and_no_failure() -> None:
    assert smsc_codes.state("77") == "ACCEPTED"


@pytest.mark.parametrize("code", ["3", "20", "22", "23", "24", "25"])
def test_each_failed_status_has_words_and_a_permanent_code(code: str) -> None:
    meaning = smsc_codes.meaning(code, "0")
    assert meaning.status.startswith("5.")
    assert code not in meaning.sentence


@pytest.mark.parametrize("err", [one["err"] for one in NETWORK if one["err"]])
def test_each_error_of_the_network_has_words(err: int) -> None:
    meaning = smsc_codes.meaning("20", str(err))
    assert str(err) not in meaning.sentence
    assert meaning.status[0] in "25"


def test_an_unknown_error_of_the_network_is_shown_as_it_is() -> None:
    assert smsc_codes.meaning("20", "199").sentence == "error 199 of the network"
    assert smsc_codes.meaning("77", "").sentence == "status 77"


@pytest.mark.parametrize(("code", "kind"), [("2", AccountPaused), ("4", AccountPaused), ("9", TemporaryFailure)])
def test_a_refused_question_is_the_account_s_trouble_or_asked_again(code: str, kind: type) -> None:
    error = smsc_codes.question_refused(code)
    assert type(error) is kind
    assert error.code == code
