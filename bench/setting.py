"""The bridge that is measured: an ordinary configuration with many people, and mails as monitors write them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

PEOPLE = 100  # and as many rules
_BASE = """\
listen:
  - {{door: smtp, address: "127.0.0.1:{smtp}", trust: [127.0.0.0/8]}}
  - {{door: http, address: "127.0.0.1:{http}"}}
domains: bench.test
node: bench
operator: {{mail: operator@bench.test}}
region: KZ
timezone: Asia/Almaty
language: en
currency: KZT
store: sqlite:///{store}
providers:
  smsc:
    type: smsc-http
    base_url: "http://127.0.0.1:{provider}"
    login: demo
    password: {{file: "{password}"}}
    number: "+77770000000"
    prices: {{"+7": 18.00}}
    parallel: 14
    inbound: "off"
    insecure: true
people:
"""
_HTML = """\
<html><head><style>td {{ color: #333; padding: 4px }} .head {{ background: #d40000 }}</style></head>
<body style="font-family: Verdana, sans-serif"><h2 class="head">Problem: {title}</h2>
<table border="0" cellpadding="4" cellspacing="0" width="600">
<tr><td width="180">Problem started at 08:14:02 on 2026.11.02</td></tr>
<tr><td>Problem name: {title}</td></tr>
<tr><td>Host: {host}</td></tr>
<tr><td>Severity: High</td></tr>
<tr><td>Operational data: Space used: 47.6 GB of 50 GB (95.2 %)</td></tr>
<tr><td>Original problem ID: 551200</td></tr>
</table>
<p>The volume is close to its limit. Please free some space or grow the volume, &amp; tell the team
what you did, so that nobody does it twice. The trend of the last day says that it is full in about
four hours; the backup of the night needs 3 GB of it, and the log of the shop grows by 200 MB an hour.</p>
<p style="font-size: 11px; color: #777"><a href="https://monitor.bench.test/p/551200">Open the problem</a> |
<a href="https://monitor.bench.test/h/{host}">Open the host</a></p>
</body></html>
"""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a bridge that is measured lives and listens."""

    folder: Path
    smtp: int
    http: int
    provider: int

    @property
    def config(self) -> Path:
        """The configuration, once :func:`write` has written it."""
        return self.folder / "config.yaml"

    @property
    def store(self) -> Path:
        """The file of the store."""
        return self.folder / "bench.db"


def write(place: Place, rules: int = PEOPLE) -> None:
    """Configuration and rules: one person and one rule for each address."""
    place.folder.mkdir(parents=True, exist_ok=True)
    password = place.folder / "password"
    password.write_text("secret")
    password.chmod(0o600)
    base = _BASE.format(smtp=place.smtp, http=place.http, provider=place.provider, store=place.store, password=password)
    people = "".join(f'  p{n:03}: {{name: Person {n}, phone: "{phone(n)}"}}\n' for n in range(rules))
    place.config.write_text(base + people)
    folder = place.folder / "rules"
    folder.mkdir(exist_ok=True)
    each = "  - {{rule: alerts of {n:03}, when: {{recipient: p{n:03}@bench.test}}, to: p{n:03}, class: critical}}\n"
    (folder / "rules.yaml").write_text("rules:\n" + "".join(each.format(n=n) for n in range(rules)))


def phone(number: int) -> str:
    """The phone of person *number*."""
    return f"+7701{number:07}"


def address(number: int) -> str:
    """The address that reaches person *number*."""
    return f"p{number:03}@bench.test"


def plain_mail(mark: str, number: int) -> bytes:
    """A default Zabbix problem mail of about 1 kB about a host nobody heard of before; lines end with CRLF."""
    title = "Disk space below 5% on /var"
    lines = [
        "Received: from mon1.bench.test (mon1.bench.test [192.0.2.7])",
        "\tby mail.bench.test (Postfix) with ESMTP id 4XyZ1a2b3c for <oncall@bench.test>;",
        "\tMon,  2 Nov 2026 08:14:03 +0500 (+05)",
        "From: Zabbix <zabbix@mon1.bench.test>",
        f"To: <{address(number % PEOPLE)}>",
        f"Subject: Problem: {title}",
        f"Message-ID: <{mark}.{number}@mon1.bench.test>",
        "Date: Mon, 02 Nov 2026 08:14:02 +0500",
        "MIME-Version: 1.0",
        'Content-Type: text/plain; charset="UTF-8"',
        "Content-Transfer-Encoding: 8bit",
        "",
        "Problem started at 08:14:02 on 2026.11.02",
        f"Problem name: {title}",
        f"Host: {mark}-{number}.bench.test",
        "Severity: High",
        "Operational data: Space used: 47.6 GB of 50 GB (95.2 %)",
        f"Original problem ID: {number + 1000}",
        "",
        *["The volume is close to its limit; free some space or grow it, and tell the team what you did."] * 3,
        "",
    ]
    return "\r\n".join(lines).encode()


def html_mail(number: int = 0) -> bytes:
    """A multipart alert of about 2 kB: a stub as text that says nothing, the words as HTML."""
    host, title = f"db{number:02}.bench.test", "Disk space below 5% on /var"
    lines = [
        "Received: from mon1.bench.test (mon1.bench.test [192.0.2.7])",
        "\tby mail.bench.test (Postfix) with ESMTP id 4XyZ1a2b3c for <oncall@bench.test>;",
        "\tMon,  2 Nov 2026 08:14:03 +0500 (+05)",
        "Received: by mon1.bench.test (Postfix, from userid 115)",
        "\tid 9C1F24A0D3; Mon,  2 Nov 2026 08:14:02 +0500 (+05)",
        "From: Zabbix <zabbix@mon1.bench.test>",
        "To: <p099@bench.test>",
        "X-Mailer: Zabbix 7.0",
        f"Subject: Problem: {title}",
        f"Message-ID: <html.{number}@mon1.bench.test>",
        "Date: Mon, 02 Nov 2026 08:14:02 +0500",
        "MIME-Version: 1.0",
        'Content-Type: multipart/alternative; boundary="=-bench-1"',
        "",
        "--=-bench-1",
        'Content-Type: text/plain; charset="UTF-8"',
        "",
        "Your mail program cannot show HTML.",
        "",
        "--=-bench-1",
        'Content-Type: text/html; charset="UTF-8"',
        "Content-Transfer-Encoding: quoted-printable",
        "",
        *_HTML.format(host=host, title=title).replace("=", "=3D").splitlines(),
        "--=-bench-1--",
        "",
    ]
    return "\r\n".join(lines).encode()
