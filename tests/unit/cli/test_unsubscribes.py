"""Who unsubscribed from Viber, as an operator sees it and takes it back, over a real store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from bridge.model import Unsubscribed
from bridge.store import given, rows, schema
from bridge.store.statements import insert

if TYPE_CHECKING:
    from conftest import House

SINCE = datetime(2026, 11, 20, 3, 12, tzinfo=UTC)
ASEL, NOBODY = "+77010000001", "+77019999999"
ALL = (
    Unsubscribed("smsgate:one", "viber", ASEL, SINCE),
    Unsubscribed("smsgate:two", "viber", ASEL, SINCE),
    Unsubscribed("smsgate:one", "viber", NOBODY, SINCE),
)


@pytest.fixture
def kept(house: House) -> House:
    house.store(lambda tx: tx.many(insert(schema.unsubscribed), [rows.unsubscribed_row(one) for one in ALL]))
    return house


def left(house: House) -> list[tuple[str, str]]:
    return [(one["phone"], one["account"]) for one in json.loads(house.call("unsubscribes", "list", "--json").out)]


def journal(house: House) -> list[dict[str, Any]]:
    sql = "SELECT data FROM journal WHERE kind = 'phone.subscribed' ORDER BY seq"
    return [json.loads(row[0]) for row in house.store(lambda tx: tx.raw(sql))]


def test_they_are_listed_with_their_names(kept: House) -> None:
    lines = kept.call("unsubscribes", "list").out.splitlines()
    assert [line.split()[:4] for line in lines[1:]] == [
        ["Асель", ASEL, "Viber", "smsgate:one"],
        ["Асель", ASEL, "Viber", "smsgate:two"],
        [NOBODY, NOBODY, "Viber", "smsgate:one"],
    ]
    (first, *_) = json.loads(kept.call("unsubscribes", "list", "--json").out)
    assert first == {
        "person": "asel", "phone": ASEL, "way": "viber", "account": "smsgate:one", "since": SINCE.isoformat(),
    }  # fmt: skip


def test_where_nobody_did_that_is_said(house: House) -> None:
    assert house.call("unsubscribes", "list").out == "Nobody unsubscribed.\n"


@pytest.mark.parametrize("who", ["asel", "Asel", ASEL, "8 701 000 00 01"])
def test_it_is_taken_back_for_a_person_or_a_phone_and_stands_in_the_journal_with_who_did_it(
    kept: House, who: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUDO_USER", "dana")
    called = kept.call("unsubscribes", "undo", who)
    assert (called.code, called.err) == (0, "")
    assert called.out.splitlines() == [
        f"Асель is sent to by Viber ({account}) again" for account in ("smsgate:one", "smsgate:two")
    ]
    assert left(kept) == [(NOBODY, "smsgate:one")]
    assert journal(kept) == [
        {"phone": ASEL, "way": "viber", "account": account, "since": SINCE.isoformat(), "by": "dana"}
        for account in ("smsgate:one", "smsgate:two")
    ]
    assert kept.store(lambda tx: given.unsubscribed(tx, ASEL)) == ()


def test_one_account_alone_may_be_named(kept: House) -> None:
    assert kept.call("unsubscribes", "undo", "asel", "--way", "viber", "--account", "smsgate:two").code == 0
    assert left(kept) == [(ASEL, "smsgate:one"), (NOBODY, "smsgate:one")]


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("boris",), 1, "boris is unsubscribed from nothing like that"),
        (("asel", "--way", "whatsapp"), 1, "asel is unsubscribed from nothing like that"),
        (("asle",), 2, "'asle' is no telephone number and no person. Did you mean asel?"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    kept: House, words: tuple[str, ...], code: int, sentence: str
) -> None:
    called = kept.call("unsubscribes", "undo", *words)
    assert (called.code, called.out) == (code, "")
    assert called.err.startswith(f"smsbridge unsubscribes undo: {sentence}")
    assert (len(left(kept)), journal(kept)) == (3, [])


def test_a_second_operator_who_takes_the_same_back_writes_no_second_step(kept: House) -> None:
    now = datetime.now(UTC)
    assert len(kept.store(lambda tx: given.subscribe_again(tx, ALL[:1], "dana", now))) == 1
    assert kept.store(lambda tx: given.subscribe_again(tx, ALL[:1], "ivan", now)) == []
    assert [one["by"] for one in journal(kept)] == ["dana"]
