"""What subject and sender say before anybody knows who wrote the mail."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.mail.parse import parse
from bridge.model import Envelope
from bridge.producers.sender import bare_subject, sender_host, subjects

Wrap = Callable[..., Envelope]


@pytest.mark.parametrize(
    ("subject", "bare"),
    [
        ("Problem: x", "Problem: x"),
        ("Re: Problem: x", "Problem: x"),
        ("[External] FW: Re[2]: Problem: x", "Problem: x"),
        ("[EXT] WG: Пересл: Problem: x", "Problem: x"),
        ("***EXTERNAL*** Fwd: x", "x"),
        ("[FIRING:1] NodeDown", "[FIRING:1] NodeDown"),
        ("[NAS] Volume crashed", "[NAS] Volume crashed"),
        ("Reboot: done", "Reboot: done"),
        ("Re:", "Re:"),
        ("", ""),
    ],
)
def test_prefixes_of_gateways_and_people_go(subject: str, bare: str) -> None:
    assert bare_subject(subject) == bare


@pytest.mark.parametrize(
    ("sender", "host"),
    [
        ("apc@ups1.office.example", "ups1.office.example"),
        ("vzdump@h7.hosting.example", "h7.hosting.example"),
        ("boiler3@district.example", "boiler3"),
        ("root@district.example", "district.example"),
        ("noreply@shop.com.kz", "shop.com.kz"),
        ("cam2@shop.com.kz", "cam2"),
        ("root@nas1.shop.com.kz", "nas1.shop.com.kz"),
        ("printer@mail.shop.kz", "printer"),
        ("ups@localhost", "ups"),
        ("ups@localhost.localdomain", "ups"),
        ("root@web1.local", "web1.local"),
        ("root@nas1", "nas1"),
        ("ups@[10.1.2.3]", "10.1.2.3"),
        ("ups@[IPv6:2001:db8::1]", "2001:db8::1"),
    ],
)
def test_the_machine_behind_an_address(wrap: Wrap, sender: str, host: str) -> None:
    envelope = wrap(f"From: {sender}\r\n\r\nx".encode())
    assert sender_host(parse(envelope), envelope) == host


def test_without_from_the_envelope_speaks(wrap: Wrap) -> None:
    envelope = wrap(b"Subject: x\r\n\r\ny", "apc@ups2.office.example")
    assert sender_host(parse(envelope), envelope) == "ups2.office.example"


def test_subjects_of_forwarded_mails_follow_the_own_one(wrap: Wrap) -> None:
    envelope = wrap("Subject: FYI\r\n\r\nhello\r\n\r\nТема: Fwd: Problem: x\r\nSubject: b\r\nSubject: c\r\n".encode())
    assert subjects(parse(envelope)) == ("FYI", "Problem: x", "b")
