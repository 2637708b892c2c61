from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path

from prometheus_client import generate_latest

from bridge.observe import Metrics

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "logs-and-metrics.md"


def _shown(metrics: Metrics) -> str:
    return generate_latest(metrics.registry).decode()


def test_every_name_begins_with_the_product_and_ends_with_its_unit() -> None:
    metrics = Metrics("1.2.3")
    shown = _shown(metrics)
    families = re.findall(r"^# TYPE (\S+) (\S+)", shown, re.MULTILINE)
    assert families
    assert all(name.startswith("smsbridge_") for name, _ in families)
    assert all(name.endswith("_total") for name, kind in families if kind == "counter")
    assert 'smsbridge_build_info{version="1.2.3"} 1.0' in shown


def test_the_reference_lists_exactly_what_is_shown() -> None:
    metrics = Metrics()
    documented = re.findall(r"^\| `(smsbridge_\w+)` \| (\w+) \| (.*?) \| (.*?) \|$", PAGE.read_text(), re.MULTILINE)
    assert documented == [
        (one.name, one.kind, " ".join(f"`{label}`" for label in one.labels), one.meaning) for one in metrics.described
    ]
    families = set(re.findall(r"^# TYPE (\S+)", _shown(metrics), re.MULTILINE))
    ours = {name for name in families if not name.startswith("smsbridge_process_")}
    assert {one.name for one in metrics.described} == {n for n in ours if not n.endswith("_created")}


def test_a_door_counts_what_it_let_in_kept_and_refused() -> None:
    metrics = Metrics()
    door = metrics.door("smtp")
    door.opened()
    door.opened()
    door.closed()
    door.kept(1024, 0.004)
    door.refused("rcpt", "550 5.1.1 <x@sms.example.kz>: no rule takes this address from you", "10.0.0.9")
    shown = _shown(metrics)
    assert 'smsbridge_connections{door="smtp"} 1.0' in shown
    assert 'smsbridge_connections_opened_total{door="smtp"} 2.0' in shown
    assert 'smsbridge_mails_kept_bytes_total{door="smtp"} 1024.0' in shown
    assert 'smsbridge_mail_keep_seconds_bucket{door="smtp",le="0.005"} 1.0' in shown
    assert 'smsbridge_refused_total{code="550",door="smtp",stage="rcpt"} 1.0' in shown
    assert "10.0.0.9" not in shown


def test_a_queue_that_empties_is_not_shown_full() -> None:
    metrics = Metrics()
    metrics.show_waiting({("READY", "normal"): 3, ("UNKNOWN", "critical"): 1})
    metrics.show_waiting({("READY", "normal"): 2})
    shown = _shown(metrics)
    assert 'smsbridge_messages_waiting{class="normal",state="READY"} 2.0' in shown
    assert "UNKNOWN" not in shown


def test_a_hand_over_without_an_answer_counts_twice() -> None:
    metrics = Metrics()
    metrics.submitted("smsc", "accepted", 0.2, segments=2)
    metrics.submitted("smsc", "unknown", 25.0)
    metrics.paid("smsc", "KZT", Decimal("18.00"))
    shown = _shown(metrics)
    assert 'smsbridge_submissions_total{outcome="unknown",provider="smsc"} 1.0' in shown
    assert 'smsbridge_unknown_outcomes_total{provider="smsc"} 1.0' in shown
    assert 'smsbridge_segments_submitted_total{provider="smsc"} 2.0' in shown
    assert 'smsbridge_spent_total{currency="KZT",provider="smsc"} 18.0' in shown


def test_the_store_is_asked_at_every_scrape() -> None:
    metrics = Metrics()
    figures = [(1, 1)]
    metrics.show_commits(lambda: figures[-1], lambda: 7)
    figures.append((4, 90))
    shown = _shown(metrics)
    assert "smsbridge_store_commits_total 4.0" in shown
    assert "smsbridge_store_operations_total 90.0" in shown
    assert "smsbridge_store_operations_waiting 7.0" in shown
