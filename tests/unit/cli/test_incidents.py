from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from conftest import House


def test_no_incidents_are_said(house: House) -> None:
    assert house.call("incidents", "list").out == "No incidents are open.\n"
    assert house.call("incidents", "list", "--all").out == "No incidents are there.\n"


def test_list_and_show_tell_what_it_is_and_who_was_told(house: House) -> None:
    house.alert("db01 disk full")
    lines = house.call("incidents", "list").out.splitlines()
    assert "SINCE (Asia/Almaty)" in lines[0]
    assert lines[1].split()[:3] == ["1000", "open", "info"]
    assert lines[1].endswith("db01 disk full")
    shown = house.call("incidents", "show", "1000").out
    assert "told Асель, message 1" in shown
    found = json.loads(house.call("incidents", "show", "1000", "--json").out)
    assert (found["state"], found["count"], found["told"][0]["person"]) == ("open", 1, "asel")
    assert [one["id"] for one in json.loads(house.call("incidents", "list", "--json").out)] == [1000]


def test_ack_unack_and_resolve_are_orders_with_a_name(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SUDO_USER", "marat")
    house.alert("db01 disk full")
    assert house.call("incidents", "ack", "1000").out.startswith("1000 acked: ")
    assert "marat" in house.call("incidents", "list").out
    assert house.call("incidents", "ack", "1000").err == "smsbridge incidents ack: 1000 is acked already.\n"
    assert house.call("incidents", "unack", "1000").out.startswith("1000 open again: ")
    assert house.call("incidents", "resolve", "1000").out.startswith("1000 resolved: ")
    assert house.call("incidents", "list").out == "No incidents are open.\n"
    with closing(sqlite3.connect(house.db)) as connection:
        kinds = connection.execute(
            "SELECT kind, data FROM journal WHERE kind LIKE 'incident.%' ORDER BY seq"
        ).fetchall()
        assert [(kind, json.loads(data).get("by")) for kind, data in kinds][-3:] == [
            ("incident.ack", "marat"), ("incident.unack", "marat"), ("incident.resolve", "marat"),
        ]  # fmt: skip
        assert connection.execute("SELECT state FROM messages WHERE rule <> '(answer)'").fetchall() == [("CANCELLED",)]


def test_an_unknown_incident_does_not_keep_the_others_from_their_order(house: House) -> None:
    house.alert("db01 disk full")
    done = house.call("incidents", "ack", "77", "1000")
    assert done.code == 1
    assert done.out.startswith("1000 acked: ")
    assert done.err == "smsbridge incidents ack: there is no incident 77. See: smsbridge incidents list --all\n"
