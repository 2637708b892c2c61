"""What gateways and colleagues put around a mail."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bridge.mail.parse import parse
from bridge.model import Envelope
from bridge.producers.unwrap import unwrapped

Wrap = Callable[..., Envelope]
KIND = "From: ups@a.example\r\nSubject: s\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"


def text(wrap: Wrap, body: str) -> str:
    return unwrapped(parse(wrap((KIND + body).encode()))).text


@pytest.mark.parametrize(
    "around",
    [
        "CAUTION: This message came from outside of the organisation.\n\n{}",
        "[EXTERNAL] This email originated outside the company. Do not click links unless you know the sender.\n\n{}",
        "External Email - sent by an unknown sender\nBe careful.\n\n{}",
        "Внимание: внешнее письмо.\n\n{}",
        "УВАГА! Лист надійшов із зовнішньої мережі.\n\n{}",
        "{}\n\nThis message and its attachments are confidential. If you are not the addressee, delete it.",
        "{}\n-- \nDISCLAIMER: nobody is bound by this.\nSecond line.",
        "{}\n\nThis e-mail, including any attachments, may contain privileged information.",
        "{}\n\n___________\nНастоящее сообщение содержит конфиденциальную информацию.",
        "{}\n\nЦе повідомлення є конфіденційним.",
    ],
)
def test_warnings_and_disclaimers_go(wrap: Wrap, around: str) -> None:
    assert text(wrap, around.format("Battery is low\n\nHost: ups1")) == "Battery is low\n\nHost: ups1"


@pytest.mark.parametrize(
    "kept",
    [
        "CAUTION: battery is hot\n\nHost: ups1",
        "WARNING: disk full",
        "This message is about disk 4\n\nIt is full",
        "This message may contain confidential words",  # a disclaimer and nothing else is what was sent
        "CAUTION: this came from outside",
    ],
)
def test_what_only_looks_like_it_stays(wrap: Wrap, kept: str) -> None:
    assert text(wrap, kept) == kept


@pytest.mark.parametrize(
    "heading",
    [
        "Look.\n\n--- Forwarded message ---\nFrom: UPS <ups@b.example>\nSubject: Power Failure\nTo: it@a.example\n\n",
        "--Original Message--\nFrom: ups@b.example [mailto:ups@b.example]\nSent: today\nSubject: Power Failure\n\n",
        "> От: ИБП <ups@b.example>\n> Кому: it\n> Тема: Power Failure\n\n",
        "Від: ups@b.example\nТема: Power Failure\n\n",
        "*From:* UPS <ups@b.example>\n*Subject:* Power Failure\n\n",
    ],
)
def test_a_forwarded_mail_speaks_for_itself(wrap: Wrap, heading: str) -> None:
    bare = unwrapped(parse(wrap((KIND + heading + "Battery is low").encode())))
    assert (bare.text, bare.sender) == ("Battery is low", "ups@b.example")
    assert bare.subjects[0] == "Power Failure"


def test_an_attached_mail_without_a_subject_speaks_for_itself(wrap: Wrap) -> None:
    content = (
        b"From: it@a.example\r\nSubject: Fwd\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
        b"Content-Type: message/rfc822\r\n\r\nFrom: ups@b.example\r\n\r\nBattery is low\r\n--b--\r\n"
    )
    bare = unwrapped(parse(wrap(content)))
    assert (bare.text, bare.sender) == ("Battery is low", "ups@b.example")


def test_a_mail_that_nobody_wrapped_stays_as_it_is(wrap: Wrap) -> None:
    body = "From the roof: all is well\nSubject to change\n\nTo: nobody"
    bare = unwrapped(parse(wrap((KIND + body).encode())))
    assert (bare.text, bare.sender, bare.subjects) == (body, "ups@a.example", ("s",))


@pytest.mark.parametrize("piece", ["From: x\n", "caution: external ", "\nthis message is ", "-_* \n", "From: a@", "> "])
def test_T21_odd_texts_cost_no_time(wrap: Wrap, piece: str) -> None:
    email = parse(wrap((KIND + piece * 20_000).encode()))
    begin = time.process_time()
    unwrapped(email)
    assert time.process_time() - begin < 0.1
