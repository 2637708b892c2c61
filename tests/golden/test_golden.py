"""Golden mails: what a mail says and which events it tells of, whole."""

from __future__ import annotations

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bridge.mail.parse import parse
from bridge.model import Email, Envelope, Event
from bridge.producers.identify import identify
from bridge.producers.loading import Packs, load_packs

HERE = Path(__file__).parent
FOLDERS = sorted(path.parent for path in HERE.glob("*/mail.eml"))
FIELDS = ("producer", "host", "service", "severity", "state", "key", "title", "problem_id", "labels")


@pytest.fixture(scope="module")
def packs() -> Packs:
    return load_packs()


def envelope(content: bytes) -> Envelope:
    return Envelope(content, datetime(2026, 11, 21, 2, 15, tzinfo=UTC), "bounce@shop.example", ())


def shown(email: Email, events: tuple[Event, ...]) -> dict[str, Any]:
    return {
        "from": [email.from_address, email.from_name],
        "subject": email.subject,
        "text": email.text.split("\n"),
        "attachments": list(email.attachments),
        "automatic": email.automatic,
        "problems": list(email.problems),
        "events": [{name: value for name in FIELDS if (value := getattr(event, name))} for event in events],
    }


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_says_what_was_expected(folder: Path, packs: Packs) -> None:
    one = envelope((folder / "mail.eml").read_bytes())
    email = parse(one)
    expected = json.loads((folder / "expect.json").read_text("utf-8"))
    assert shown(email, identify(email, one, "zabbix", packs)) == expected


def generator() -> dict[str, bytes]:
    spec = importlib.util.spec_from_file_location("golden_generate", HERE / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    made: dict[str, bytes] = module.mails()
    return made


def test_the_mails_are_those_of_the_generator() -> None:
    made = generator()
    assert sorted(made) == [folder.name for folder in FOLDERS]
    for name, content in made.items():
        assert (HERE / name / "mail.eml").read_bytes() == content, f"run generate.py: {name} has changed"


def test_wrappings_do_not_change_an_event(packs: Packs) -> None:
    events = set()
    for folder in FOLDERS:
        if folder.name[:2] in ("01", "04", "05", "06", "07"):
            one = envelope((folder / "mail.eml").read_bytes())
            (event,) = identify(parse(one), one, "zabbix", packs)
            events.add(
                (event.producer, event.host, event.severity, event.state, event.key, event.title, event.problem_id)
            )
    assert len(events) == 1


def test_problem_and_recovery_pair(packs: Packs) -> None:
    keys = []
    for name in ("01-zabbix-problem", "02-zabbix-recovery"):
        one = envelope((HERE / name / "mail.eml").read_bytes())
        (event,) = identify(parse(one), one, "zabbix", packs)
        keys.append((event.key, event.problem_id, event.state))
    assert [key[:2] for key in keys] == [keys[0][:2]] * 2
    assert [key[2] for key in keys] == ["problem", "recovery"]
