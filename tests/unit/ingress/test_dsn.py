from __future__ import annotations

import pytest

from bridge.ingress.dsn import BadParameter, MailWishes, RecipientWishes, mail_wishes, recipient_wishes


def test_values_keep_their_case_and_names_do_not_matter() -> None:
    assert mail_wishes("ret=full EnvId=QqAa1 size=12 body=8bitmime SmtpUtf8 AUTH=<>") == MailWishes(
        size=12, utf8=True, ret="FULL", envid="QqAa1"
    )
    assert recipient_wishes("notify=Never orcpt=RFC822;Someone+40X") == RecipientWishes("Never", "RFC822;Someone+40X")


def test_nothing_asked_is_nothing() -> None:
    assert (mail_wishes(""), recipient_wishes("")) == (MailWishes(), RecipientWishes())


@pytest.mark.parametrize(
    "text,reply",
    [
        ("SIZE=", "501 5.5.4 Size is a number"),
        ("SIZE=-1", "501 5.5.4 Size is a number"),
        ("SIZE=٣", "501 5.5.4 Size is a number"),
        ("SIZE=1 SIZE=2", "501 5.5.4 SIZE stands there twice"),
        ("BODY=X", "501 5.5.4 BODY is 7BIT or 8BITMIME"),
        ("SMTPUTF8=yes", "501 5.5.4 SMTPUTF8 takes no value"),
        ("RET=SOME", "501 5.5.4 RET is FULL or HDRS"),
        ("ENVID=", "501 5.5.4 ENVID is up to 100 letters, + as +2B"),
        ("ENVID=a=b", "501 5.5.4 ENVID is up to 100 letters, + as +2B"),
        ("ENVID=" + "x" * 101, "501 5.5.4 ENVID is up to 100 letters, + as +2B"),
        ("HOLDFOR=5", "555 5.5.4 Parameter HOLDFOR is not supported"),
        ("=5", "555 5.5.4 Parameter  is not supported"),
    ],
)
def test_wrong_mail_parameters_are_named(text: str, reply: str) -> None:
    with pytest.raises(BadParameter) as caught:
        mail_wishes(text)
    assert caught.value.reply == reply


@pytest.mark.parametrize(
    "text", ["NOTIFY=", "NOTIFY=NEVER,SUCCESS", "NOTIFY=SUCCESS,", "ORCPT=x", "ORCPT=rfc822;", "ORCPT=rfc822;a=b"]
)
def test_wrong_recipient_parameters_are_refused(text: str) -> None:
    with pytest.raises(BadParameter, match=r"501 5\.5\.4"):
        recipient_wishes(text)


def test_a_parameter_of_mail_is_none_of_rcpt() -> None:
    with pytest.raises(BadParameter, match=r"555 5\.5\.4 Parameter SIZE is not supported"):
        recipient_wishes("SIZE=5")
