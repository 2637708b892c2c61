from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bridge.cli.explain import command
from bridge.model import Envelope, Recipient
from bridge.store import mails
from bridge.store.engine import Store
from tests.unit.proof.office import CONFIG, RULES, Office, build

MAIL = "From: nas7@mon.test\nTo: team@bridge.test\nSubject: disk full\nMessage-ID: <a@mon.test>\n\nhello\n"


@pytest.fixture
def office(tmp_path: Path) -> Office:
    made = build(tmp_path, f"{CONFIG}store: sqlite://{tmp_path}/bridge.db\n", RULES)
    (tmp_path / "mail.eml").write_text(MAIL)
    return made


def explain(office: Office, *words: str, given: str = "") -> Result:
    return CliRunner().invoke(command, ["-c", str(office.config), *words], input=given)


def test_tells_a_person_what_happens_and_why(office: Office) -> None:
    result = explain(office, str(office.folder / "mail.eml"), "--at", "2026-01-05 12:00")
    assert result.exit_code == 0, result.output
    assert "✗ duty: recipient team@bridge.test does not fit duty@bridge.test" in result.stdout
    assert "✓ disks: took team@bridge.test" in result.stdout
    assert (
        "SMS to aigul +77010000001  GSM-7, 1 segment, 14.00 KZT, normal, via smsc then spare, rule disks"
        in result.stdout
    )
    assert "    nas7 disk full 10" in result.stdout
    assert "\x1b[" not in result.stdout


def test_says_why_no_sms_leaves(office: Office) -> None:
    result = explain(office, "-", "--recipient", "drop@bridge.test", given=MAIL)
    assert result.stdout.splitlines()[-1] == "No SMS: dropped (not today)"


def test_time_may_have_a_zone_of_its_own(office: Office) -> None:
    for at in ("2026-01-05 12:00", "2026-01-05 07:00 UTC", "2026-01-05T07:00:00Z", "2026-01-05 12:00 Asia/Almaty"):
        result = explain(office, "-", "--json", "--at", at, given=MAIL)
        assert json.loads(result.stdout)["messages"][0]["not_before"] == "2026-01-05T07:00:00+00:00", at


def test_the_door_judges_who_hands_it_in_only_when_that_is_said(office: Office) -> None:
    outside = json.loads(explain(office, "-", "--json", "--peer", "203.0.113.9", given=MAIL).stdout)
    assert outside["nothing_sent_because"].startswith("refused (530 5.7.0")
    assert outside["messages"] == []
    wrong = json.loads(explain(office, "-", "--json", "--source", "nas", given=MAIL).stdout)
    assert wrong["nothing_sent_because"] == "refused (550 5.7.1 Login nas may not send as nas7@mon.test)"


def keep(office: Office) -> int:
    async def kept() -> int:
        store = Store(office.folder / "bridge.db")
        await store.open()
        now = datetime(2026, 1, 5, 7, 0, tzinfo=UTC)
        content = MAIL.replace("\n", "\r\n").encode()
        mail = Envelope(content, now, "nas7@mon.test", (Recipient("team@bridge.test"),), peer="10.0.0.5", tls=True)
        try:
            return await store.write(lambda tx: mails.keep(tx, mail, "node/1"))
        finally:
            store.close()

    return asyncio.run(kept())


def test_a_kept_mail_is_explained_by_its_number(office: Office) -> None:
    number = keep(office)
    found = json.loads(explain(office, f"M-{number}", "--json").stdout)
    assert found["messages"][0]["not_before"] == "2026-01-05T07:00:00+00:00"
    missing = explain(office, "M-4711")
    assert (missing.exit_code, missing.stderr) == (1, "smsbridge explain: no mail M-4711 is kept in the store.\n")


def test_with_the_store_a_repeat_is_a_repeat(office: Office) -> None:
    """The incident stands in the store; without --store nothing is remembered."""
    from bridge.dispatch.decide import bound
    from bridge.intake.read import read
    from bridge.store import plans

    number = keep(office)
    book, now = office.book(), datetime(2026, 1, 5, 7, 0, tzinfo=UTC)

    async def decided() -> None:
        store = Store(office.folder / "bridge.db")
        await store.open()
        try:
            (mail,) = await store.read(lambda tx: mails.load(tx, [number]))
            reading = read(mail, book, own="x")
            await store.write(lambda tx: plans.plan(tx, [reading], *bound(book, now), now))
        finally:
            store.close()

    asyncio.run(decided())
    other = MAIL.replace("<a@", "<b@")
    at = ("--at", "2026-01-05 12:05", "--json")
    alone = json.loads(explain(office, "-", *at, given=other).stdout)
    assert len(alone["messages"]) == 2
    remembered = json.loads(explain(office, "-", "--store", "--peer", "10.0.0.5", *at, given=other).stdout)
    assert remembered["nothing_sent_because"] == "incident open since 12:00 and repeated after 12:30"
    copy = json.loads(explain(office, "-", "--store", "--peer", "10.0.0.5", *at, given=MAIL).stdout)
    assert copy["nothing_sent_because"] == f"same mail as M-{number}"


@pytest.mark.parametrize(
    "words, code, sentence",
    [
        (["nofile.eml"], 1, "smsbridge explain: no file nofile.eml here"),
        (["-", "--at", "tomorrow"], 2, "smsbridge explain: --at: a date and a time"),
        (["-", "--source", "nobody"], 2, "smsbridge explain: no source is called nobody. There are: pair, nas, web."),
        (["-", "--source", "web"], 2, "smsbridge explain: no way of source web hands in mail."),
    ],
)
def test_a_wrong_call_names_the_way_out(office: Office, words: list[str], code: int, sentence: str) -> None:
    result = explain(office, *words, given=MAIL)
    assert result.exit_code == code
    assert result.stderr.startswith(sentence)


def test_a_store_that_is_not_there_may_be_tried_again(office: Office) -> None:
    from bridge.errors import StoreUnavailable

    result = explain(office, "-", "--store", given=MAIL)
    assert isinstance(result.exception, StoreUnavailable)
    assert not (office.folder / "bridge.db").exists()


def test_a_wrong_configuration_is_said_whole(office: Office) -> None:
    office.config.write_text("listen: []\n")
    result = explain(office, "-", given=MAIL)
    assert result.exit_code == 78
    assert "is not usable. See: smsbridge check -c" in result.stderr
