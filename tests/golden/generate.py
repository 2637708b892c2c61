"""Writes the mails of this folder: producers' own wordings with invented values, in the wrappings of the field.

``python tests/golden/generate.py`` writes them again; a test compares. Fixed words only are taken from the producers'
templates; hosts, names and times are invented. ``expect.json`` beside each mail is written by hand.
"""

from __future__ import annotations

import base64
import quopri
from pathlib import Path

HERE = Path(__file__).parent
DATE = "Sat, 21 Nov 2026 02:15:00 +0500"
DISCLAIMER = "This message and its attachments are confidential. If you are not the intended recipient, delete it."


def word(text: str, charset: str = "utf-8") -> str:
    """*text* as one encoded word."""
    return f"=?{charset}?B?{base64.b64encode(text.encode(charset)).decode()}?=" if not text.isascii() else text


def head(subject: str, sender: str, *more: str) -> bytes:
    """A header without its empty line; *subject* is raw."""
    fields = (
        f"From: {sender}",
        "To: alerts@sms.shop.example",
        f"Subject: {subject}",
        f"Date: {DATE}",
        *more,
    )
    return "".join(f"{row}\r\n" for row in fields).encode()


def mail(subject: str, sender: str, body: bytes, *more: str) -> bytes:
    """A whole mail of one part."""
    return head(subject, sender, *more) + b"\r\n" + body.replace(b"\n", b"\r\n")


def plain(text: str, charset: str = "utf-8") -> tuple[bytes, str, str]:
    """Body and its two header lines, 8 bit."""
    return text.encode(charset), f"Content-Type: text/plain; charset={charset}", "Content-Transfer-Encoding: 8bit"


def zabbix(kind: str, name: str, host: str, severity: str, number: int) -> tuple[str, str]:
    """Subject and text of Zabbix 5 and later."""
    tail = f"Problem name: {name}\nHost: {host}\nSeverity: {severity}\n"
    if kind == "problem":
        text = (
            f"Problem started at 02:14:58 on 2026.11.21\n{tail}Operational data: 97 %\nOriginal problem ID: {number}\n"
        )
        return f"Problem: {name}", text
    if kind == "recovery":
        begin = "Problem has been resolved at 02:40:00 on 2026.11.21\n"
        middle = tail.replace("\nHost", "\nProblem duration: 25m 2s\nHost")
        return f"Resolved in 25m 2s: {name}", f"{begin}{middle}Original problem ID: {number}\n"
    text = "Ivan Petrov acknowledged problem at 2026.11.21 02:25:00.\nlooking at it\n\n"
    return (
        f"Updated problem in 10m 2s: {name}",
        f"{text}Current problem status is PROBLEM, age is 10m 2s, acknowledged: Yes.\n",
    )


def bold(text: str) -> str:
    """Zabbix' HTML variant of a text: bold labels, ``<br>``."""
    rows = (row.partition(":") for row in text.strip().split("\n"))
    return "".join(f"<b>{label}:</b>{value}<br>" if colon else f"{label}<br>" for label, colon, value in rows)


def corporate(subject: str, sender: str, text: str) -> bytes:
    """What is left of a mail behind a company's gateway: a tag, base64, and a disclaimer in plain text behind it."""
    body = base64.encodebytes(text.encode()).decode() + f"\n{DISCLAIMER}\n"
    fields = ('Content-Type: text/plain; charset="UTF-8"', "Content-Transfer-Encoding: base64")
    return mail(word(f"[External] {subject}"), sender, body.encode(), *fields)


def forwarded(subject: str, outer: str, sender: str, inner: bytes) -> bytes:
    """A mail that holds another one as its only part."""
    fields = ('Content-Type: multipart/mixed; boundary="=_fwd"', "MIME-Version: 1.0")
    begin = b"--=_fwd\r\nContent-Type: text/plain\r\n\r\n\r\n--=_fwd\r\nContent-Type: message/rfc822\r\n\r\n"
    return head(f"{subject} {outer}".strip(), sender, *fields) + b"\r\n" + begin + inner + b"\r\n--=_fwd--\r\n"


def mails() -> dict[str, bytes]:
    """Folder -> bytes of its ``mail.eml``."""
    sender = "Zabbix <zabbix@shop.example>"
    disk = "Нет места на /data"
    made: dict[str, bytes] = {}
    for at, kind in enumerate(("problem", "recovery", "update"), 1):
        subject, text = zabbix(kind, disk, "db01.shop.example", "High", 5512)
        body, *fields = plain(text)
        made[f"{at:02}-zabbix-{kind}"] = mail(word(subject), sender, body, *fields, "Auto-Submitted: auto-generated")
    subject, text = zabbix("problem", disk, "db01.shop.example", "High", 5512)
    page = f"<html><head><title>x</title></head><body>{bold(text)}</body></html>"
    made["04-zabbix-html-only"] = mail(
        word(subject),
        sender,
        quopri.encodestring(page.encode()),
        "Content-Type: text/html; charset=UTF-8",
        "Content-Transfer-Encoding: quoted-printable",
    )
    made["05-zabbix-corporate"] = corporate(subject, sender, text)
    body, *fields = plain(text)
    whole = mail(word(subject), sender, body, *fields)
    made["06-zabbix-forwarded-as-attachment"] = forwarded("Fwd: see attached", "", "it@shop.example", whole)
    inline = f"---------- Forwarded message ---------\nFrom: Zabbix\nSubject: {subject}\nTo: it\n\n{text}"
    body, *fields = plain(inline)
    made["07-zabbix-forwarded-inline"] = mail("FYI", "it@shop.example", body, *fields)
    subject, text = zabbix("recovery", "Диск переповнений на вузлі", "db02", "Disaster", 77)
    body, *fields = plain(text, "koi8-u")
    made["08-zabbix-ukrainian"] = mail(word(subject, "koi8-u"), sender, body, *fields)
    made["09-zabbix-sms-variant"] = mail("", sender, b"High: Disk full\nHost: db01\n2026.11.21 02:14:58\n")
    old = "Trigger: Disk full\nTrigger status: OK\nTrigger severity: Average\nTrigger URL: \n\nOriginal event ID: 12\n"
    made["10-zabbix-before-4"] = mail("OK: Disk full", sender, old.encode())
    made["11-icinga2-service"] = mail(
        "[PROBLEM] checkout on shop1 is CRITICAL!",
        "icinga@mon1.example",
        b"***** Service Monitoring on mon1 *****\n\ncheckout on shop1 is CRITICAL!\n\nInfo:    slow answer, 9 s\n\n"
        b"When:    2026-11-21 02:14:58 +0500\nService: checkout\nHost:    shop1\nIPv4:    10.1.2.3\n",
    )
    made["12-nagios-service"] = mail(
        "** RECOVERY Service Alert: web1/HTTP is OK **",
        "nagios@mon1.example",
        b"***** Nagios *****\n\nNotification Type: RECOVERY\n\nService: HTTP\nHost: web1\nAddress: 10.1.2.3\n"
        b"State: OK\n\n"
        b"Date/Time: Sat Nov 21 02:14:58 2026\n\nAdditional Info:\n\nHTTP OK: 200 in 0.1 s\n",
    )
    made["13-ups-without-body"] = mail("Power Failure !!!", "apc@ups1.office.example", b"")
    raw = "Сбой питания, зал 1\nНапряжение на входе пропало\n"
    for at, charset in enumerate(("cp1251", "koi8-r", "cp866"), 14):
        subject = "Сервер упал"
        body = raw.encode(charset)
        made[f"{at}-undeclared-{charset}"] = mail("X", "1c@srv1c.firm.example", body).replace(
            b"Subject: X", b"Subject: " + subject.encode(charset)
        )
    made["17-unknown-charset"] = mail(
        "=?x-unknown?Q?Lift_2?= stopped",
        "scada@hospital.example",
        "Лифт 2\n".encode(),
        "Content-Type: text/plain; charset=x-scada-7",
    )
    letters = "Нет места".encode()
    cut = tuple(base64.b64encode(piece).decode() for piece in (letters[:5], letters[5:]))  # within a letter
    broken = f"=?utf-8?B?{cut[0]}?= =?UTF-8?B?{cut[1]}?= =?utf-8?Q?_full?_=3D_yes?="
    made["18-broken-encoded-words"] = mail(broken, "=?utf-8?Q?nas=40firm.example?=", b"x\n")
    page = (
        "<div style='display:none;font-size:0'>hidden 1</div><script>var x = 'hidden 2'</script><style>td{}</style>"
        "<h2>CPU high on web1</h2><table><tr><td>Host</td><td>web1</td></tr><tr><td>Load</td><td>12&nbsp;%</td></tr>"
        "</table><p hidden>hidden 3</p><p>Bye&#8203;<br>now</p>"
    )
    alternative = (
        "--=_a\r\nContent-Type: text/plain\r\n\r\nYour mail program cannot show HTML.\r\n"
        f"--=_a\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{page}\r\n--=_a--\r\n"
    )
    mixed = (
        f'--=_m\r\nContent-Type: multipart/alternative; boundary="=_a"\r\n\r\n{alternative}'
        "--=_m\r\nContent-Type: application/pdf; name=report.pdf\r\nContent-Disposition: attachment;\r\n"
        " filename*0*=utf-8''%D0%BE%D1%82;\r\n filename*1*=%D1%87%D1%91%D1%82.pdf\r\n\r\nJVBERi0=\r\n--=_m--\r\n"
    )
    made["19-html-beside-a-stub"] = (
        head("CPU", "prtg@firm.example", 'Content-Type: multipart/mixed; boundary="=_m"', "Precedence: bulk")
        + b"\r\n"
        + mixed.encode()
    )
    made["20-header-injection"] = mail("=?utf-8?q?x=0D=0ABcc:_evil=40example.com?=", "a@b.example", b"text\n")
    return made


if __name__ == "__main__":
    for name, content in mails().items():
        (HERE / name).mkdir(exist_ok=True)
        (HERE / name / "mail.eml").write_bytes(content)
