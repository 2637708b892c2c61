"""An event and its reader, as most tests of texts want them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bridge.model import Event
from bridge.render.texts import compile_text, render
from bridge.render.variables import Variables

NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")  # 07:15

Said = Callable[..., str]


@pytest.fixture
def event() -> Event:
    return Event(
        source="zabbix",
        producer="zabbix-mail",
        host="db01.shop.example",
        service="disk",
        severity="critical",
        state="problem",
        key="z/17",
        title="Нет места на /data",
        detail="97 % used",
        labels={"rack": "r7", "a-b": "dash"},
    )


@pytest.fixture
def variables(event: Event) -> Variables:
    return Variables(
        event=event,
        person="Айгуль",
        rule="databases at night",
        code="12",
        call_to_ack="+77172000000",
        count=3,
        since=NOW - timedelta(hours=26),
        list="db01 x2, web7, +4",
        events=(event, event),
        subject="Problem: Disk full",
        sender="zabbix@shop.example",
        text="The whole mail",
        groups={"value": "4.1 bar"},
    )


@pytest.fixture
def said(variables: Variables) -> Said:
    """Render a source as text, the pieces joined."""

    def rendered(source: str | Mapping[str, str], given: Variables = variables, language: str = "en") -> str:
        found = render(compile_text(source, "here"), given, language=language, zone=ALMATY, now=NOW)
        return "".join(piece.text for piece in found)

    return rendered
