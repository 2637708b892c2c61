"""F24: trouble with a gateway reaches the operator by a way that does not need it, once an hour."""

import email
from email import policy

import pytest

from bridge.book.loading import load_book
from bridge.model import Trouble
from bridge.proof.world import Sent, World
from tests.unit.dispatch.stage import CONFIG, NOW, Stage, strict  # noqa: F401 - a fixture


def read(mail):
    return email.message_from_bytes(mail.content, policy=policy.default)


def test_F24_an_empty_account_is_told_once_an_hour(world):
    (mail,) = world.decide(Trouble("account.money", "smsc", "no money", ("gate",))).mails
    assert mail.to == ("operator@bridge.test",)
    assert read(mail)["Subject"] == "[smsbridge] smsc: no money"
    text = read(mail).get_content()
    assert "SMS go by gate since 08:00" in text
    assert "smsbridge queue release" in text
    assert not world.decide(Trouble("account.money", "smsc", "no money", ("gate",))).mails
    world.wait(hours=1)
    assert world.decide(Trouble("account.money", "smsc", "no money")).mails


def test_what_is_not_urgent_is_told_once_a_day(world):
    for kind in ("account.low", "calendar"):
        (mail,) = world.decide(Trouble(kind, "smsc", "90.00 KZT left")).mails
        assert "90.00 KZT left" in read(mail).get_content()
        world.wait(hours=23)
        assert not world.decide(Trouble(kind, "smsc", "80.00 KZT left")).mails
        world.wait(hours=1)
        assert world.decide(Trouble(kind, "smsc", "70.00 KZT left")).mails


def test_F07_a_silent_gateway_is_told_with_what_was_seen(world):
    (mail,) = world.decide(Trouble("gateway", "smsc", "no connection to 192.0.2.1")).mails
    assert read(mail)["Subject"] == "[smsbridge] smsc is silent since 08:00"
    assert "no connection to 192.0.2.1" in read(mail).get_content()


RULES = "rules:\n  - {rule: one, when: {recipient: one@bridge.test}, to: aigul, class: critical}\n"
TWO = """providers:
  gate: {type: smsgate-json, base_url: "https://gate.example", token: {env: X}, currency: KZT}
"""


@pytest.fixture
def stage(tmp_path, strict):  # noqa: F811
    (tmp_path / "rules").mkdir()
    config = CONFIG.replace("operator@bridge.test}", "operator@bridge.test, to: on-call duty}")
    (tmp_path / "config.yaml").write_text(config.replace("providers:\n", TWO))
    (tmp_path / "rules" / "10.yaml").write_text(RULES)
    return Stage(World(load_book(tmp_path / "config.yaml").require(), NOW))


def trouble(stage, *args):
    stage.world._decide(Trouble(*args))
    return [(e.via, e.message.person, e.message.text, e.message.rule) for e in sent(stage)]


def sent(stage):
    return [effect for effect in stage.world.happened().effects if isinstance(effect, Sent)]


def test_F24_an_account_that_cannot_send_is_told_by_sms_through_those_that_go_on(stage):
    said = [("smsc", "aigul", "smsbridge: gate: no money", "(operator)")]
    assert trouble(stage, "account.money", "gate", "no money", ("smsc",)) == said
    assert trouble(stage, "account.money", "gate", "no money", ("smsc",)) == []  # once an hour, as by mail


def test_F24_no_gateway_at_all_is_told_by_sms_as_soon_as_one_is_back(stage):
    stage.world.turn({"smsc": "down", "gate": "down"})
    stage.mail("disk full")
    stage.world.turn({"gate": "accepts"})
    assert sorted(e.message.text for e in sent(stage) if e.message.rule == "(operator)") == [
        "smsbridge: gate is silent since 08:00", "smsbridge: smsc is silent since 08:00",
    ]  # fmt: skip


def test_one_silent_gateway_of_several_pages_nobody(stage):
    assert trouble(stage, "gateway", "gate", "no connection", ("smsc",)) == []
    assert trouble(stage, "account.money", "gate", "no money") == []  # who would carry it
    assert trouble(stage, "account.low", "smsc", "10.00 KZT left", ()) == []


@pytest.mark.parametrize(
    ("kind", "subject"), [("account.well", "smsc can send again"), ("gateway.well", "smsc answers again")]
)
def test_F24_the_end_of_a_trouble_is_said_by_mail(world, kind, subject):
    (mail,) = world.decide(Trouble(kind, "smsc", "the account sends again after 7 min")).mails
    assert read(mail)["Subject"] == f"[smsbridge] {subject}"
    assert "after 7 min" in read(mail).get_content()
