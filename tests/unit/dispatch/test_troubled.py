"""F24: trouble with a gateway reaches the operator by a way that does not need it, once an hour."""

import email
from email import policy

from bridge.model import Trouble


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
