from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conftest import House


def _state(house: House, number: int) -> str:
    with closing(sqlite3.connect(house.db)) as connection:
        return str(connection.execute("SELECT state FROM messages WHERE id = ?", (number,)).fetchone()[0])


def _set(house: House, number: int, state: str) -> None:
    with closing(sqlite3.connect(house.db)) as connection, connection:
        connection.execute("UPDATE messages SET state = ? WHERE id = ?", (state, number))


def _journal(house: House) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(house.db)) as connection:
        return connection.execute("SELECT kind, message_id FROM journal ORDER BY seq").fetchall()


def test_an_empty_queue_says_so(house: House) -> None:
    done = house.call("queue", "list")
    assert (done.code, done.out) == (0, "No messages are waiting.\n")
    assert house.call("queue", "list", "--mails").out == "No mails are waiting.\n"
    assert json.loads(house.call("queue", "list", "--json").out) == []


def test_what_waits_is_listed_most_urgent_first_with_people_by_name(house: House) -> None:
    house.message("later")
    house.message("now \x1b[2J\nboo", message_class="critical")
    house.message("to a stranger", phone="+77019999988", person="")
    house.message("taken")
    _set(house, 4, "ACCEPTED")
    lines = house.call("queue", "list").out.splitlines()
    assert lines[0].split()[:5] == ["MESSAGE", "CLASS", "STATE", "TO", "AGE"]
    assert "(Asia/Almaty)" in lines[0]
    assert [line.split()[0] for line in lines[1:]] == ["2", "1", "3"]
    assert lines[1].endswith("now [2J boo")
    assert "Асель" in lines[2]
    assert "29 min" in lines[2]
    assert "+7 701 ••• 99 88" in lines[3]
    assert "taken" in house.call("queue", "list", "--all").out


def test_numbers_stand_in_full_where_the_configuration_says_so(house: House) -> None:
    house.write(more="keep: {numbers: clear}\n")
    house.message(phone="+77019999988", person="")
    assert "+77019999988" in house.call("queue", "list").out


def test_json_holds_the_whole_message(house: House) -> None:
    house.message("disk full")
    (found,) = json.loads(house.call("queue", "list", "--json").out)
    assert (found["id"], found["state"], found["text"], found["class"]) == (1, "READY", "disk full", "normal")
    shown = json.loads(house.call("queue", "show", "1", "--json").out)
    assert (shown["phone"], shown["attempts"], shown["receipts"]) == ("+77010000001", [], [])


def test_show_tells_one_message_and_knows_what_is_not_there(house: House) -> None:
    house.message("disk full")
    shown = house.call("queue", "show", "1").out
    assert "disk full" in shown
    assert "GSM-7, 1 segment" in shown
    missing = house.call("queue", "show", "7")
    assert missing.code == 1
    assert missing.err == "smsbridge queue show: there is no message 7. See: smsbridge queue list --all\n"


def test_hold_release_and_cancel_change_what_fits_and_leave_a_trace(house: House) -> None:
    house.message()
    assert house.call("queue", "hold", "1").out == "1 held\n"
    assert house.call("queue", "hold", "1").err == "smsbridge queue hold: 1 is HELD; hold is for READY.\n"
    assert _state(house, 1) == "HELD"
    assert house.call("queue", "release", "1").out == "1 released\n"
    assert _state(house, 1) == "READY"
    assert house.call("queue", "cancel", "1").out == "1 cancelled\n"
    assert _state(house, 1) == "CANCELLED"
    assert _journal(house) == [
        ("message.created", 1), ("message.held", 1), ("message.released", 1), ("message.cancelled", 1),
    ]  # fmt: skip


def test_T04_a_cancelled_message_gives_back_its_money(house: House) -> None:
    house.message()
    house.message()
    with closing(sqlite3.connect(house.db)) as connection, connection:
        connection.executemany("INSERT INTO spends VALUES ('total', 1, ?, 1, 140000, 0)", [(1,), (2,)])
    house.call("queue", "cancel", "1")
    with closing(sqlite3.connect(house.db)) as connection:
        assert connection.execute("SELECT message_id FROM spends").fetchall() == [(2,)]


@pytest.mark.parametrize("state", ["INFLIGHT", "UNKNOWN", "ACCEPTED", "DELIVERED"])
@pytest.mark.parametrize("verb", ["hold", "release", "cancel", "retry"])
def test_what_is_on_its_way_is_never_touched(house: House, verb: str, state: str) -> None:
    house.message()
    _set(house, 1, state)
    done = house.call("queue", verb, "1")
    assert done.code == 1
    assert f"1 is {state}" in done.err
    assert _state(house, 1) == state


def test_all_means_all_and_a_cancel_of_all_wants_a_yes(house: House) -> None:
    house.message()
    house.message()
    assert house.call("queue", "hold", "--all").out == "1 held\n2 held\n"
    refused = house.call("queue", "cancel", "--all")
    assert (refused.code, refused.err) == (1, "smsbridge queue cancel: This cancels 2 SMS. Say --yes to go on.\n")
    assert house.call("queue", "cancel", "--all", "--yes").out == "1 cancelled\n2 cancelled\n"
    assert house.call("queue", "release", "--all").out == "No messages are held.\n"
    assert house.call("queue", "hold").code == 2
    assert house.call("queue", "hold", "--all", "1").code == 2


def test_retry_hurries_a_message_and_reads_a_mail_again(house: House) -> None:
    house.message()
    house.alert("db01 disk full")
    with closing(sqlite3.connect(house.db)) as connection, connection:
        connection.execute("UPDATE messages SET due_at = due_at + 3600000000, created_at = created_at")
        connection.execute("UPDATE mails SET state = 'QUARANTINED', attempts = 3")
    assert house.call("queue", "list", "--mails").out.splitlines()[1].split()[:2] == ["M-1", "QUARANTINED"]
    assert house.call("queue", "retry", "M-1", "1").out == "M-1 is read again\n1 is tried now\n"
    with closing(sqlite3.connect(house.db)) as connection:
        assert connection.execute("SELECT state, attempts FROM mails").fetchall() == [("RECEIVED", 0)]
    missing = house.call("queue", "retry", "m-9")
    assert missing.code == 1
    assert missing.err.startswith("smsbridge queue retry: M-9 does not wait and was not set aside.")
    assert house.call("queue", "retry", "x1").code == 2


def test_a_store_that_is_not_there_is_said(house: House) -> None:
    house.db.unlink()
    done = house.call("queue", "list")
    assert (done.code, done.err) == (78, f"store: no {house.db} here; smsbridge run makes one\n")
    assert not house.db.exists()


def test_F24_a_paused_account_is_released_by_the_name_of_its_gateway(house: House) -> None:
    number = house.message("disk full")
    with closing(sqlite3.connect(house.db)) as connection, connection:
        connection.execute(
            "INSERT INTO submissions (message_id, attempt, provider, account) VALUES (?, 1, 'smsc', 'smsc:x')",
            (number,),
        )
        connection.execute("INSERT INTO accounts (account, state, reason) VALUES ('smsc:x', 'money', 'no money')")
    done = house.call("queue", "release", "--gateway", "smsc")
    assert (done.code, done.out) == (0, "smsc is tried again (was: money).\n")
    assert house.call("queue", "release", "--gateway", "smsc").out == "smsc was not paused.\n"
    assert house.call("queue", "release", "--gateway", "nobody").code == 1
