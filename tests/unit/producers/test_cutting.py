"""Cutting many events: sections, pieces, pairs, places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.mail.parse import parse
from bridge.model import Envelope, Event
from bridge.producers.identify import EVENTS, identify
from bridge.producers.loading import load_packs

Cut = Callable[[str, str], tuple[Event, ...]]

LISTS = """
producer: lists
recognise: {subject: list}
events:
  sections:
    - {match: '(?m)^new:$', set: {kind: new}, split: '(?m)^\\* '}
    - {match: '(?m)^gone:$', set: {kind: gone}}
    - {match: '(?m)^standing:$', drop: true}
  continued: '^\\* and '
  text: [{match: '(?m)^(?:\\* )?(?P<what>\\S[^\\n]*)'}]
  fields: {title: '{what}', key: '{what}', problem_id: '7'}
  state: {of: '{kind}', map: {new: problem, gone: recovery}, otherwise: update}
"""
LABELS = """
producer: labels
recognise: {subject: list}
events:
  split: '(?m)^alert$'
  pairs:
    - {match: '(?m)^(?P<name>[a-z.]+)=(?P<value>.*)$', until: '(?m)^notes$', names: [host], labels: true}
    - {match: '(?m)^(?P<name>[a-z]+)=(?P<value>.*)$', after: '(?m)^notes$', names: [why]}
  text: [{match: '(?m)^disk (?P<disks>\\S+)', every: ', '}]
  fields: {host: '{host}', title: ['{why}', '{disks}'], key: '{pairs}'}
  severity: {of: ['{disks}', '{why}'], map: {hot: critical}, otherwise: info}
"""


@pytest.fixture
def cut(wrap: Callable[..., Envelope], tmp_path: Path) -> Cut:
    """``cut(pack, text)``: the events of a mail with that text."""

    def events(pack: str, text: str) -> tuple[Event, ...]:
        (tmp_path / "pack.yaml").write_text(pack, "utf-8")
        envelope = wrap(f"Subject: a list\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{text}".encode())
        return identify(parse(envelope), envelope, "s", load_packs(shipped=False, folder=tmp_path))

    return events


def test_sections_say_what_their_events_are_and_may_be_dropped(cut: Cut) -> None:
    text = "hello\nnew:\n* a\n* and more of a\n* b\ngone:\nc\nd\nstanding:\n* e\n* f\n"
    events = cut(LISTS, text)
    assert [(event.title, event.state) for event in events] == [("a", "problem"), ("b", "problem"), ("c", "recovery")]
    assert events[0].detail == "* a\n* and more of a"
    assert events[2].detail == "c\nd"  # no split of its own: the section is one event


def test_where_all_is_dropped_the_mail_is_one_event_that_opens_nothing(cut: Cut) -> None:
    (event,) = cut(LISTS, "standing:\n* e\n* f\n")
    assert (event.state, event.severity, event.key, event.problem_id) == ("info", "info", "", "")


def test_without_any_heading_the_text_is_one_event(cut: Cut) -> None:
    (event,) = cut(LISTS, "* a\n* b\n")
    assert (event.title, event.state, event.problem_id) == ("a", "update", "7")


def test_events_of_all_sections_count_towards_fifty(cut: Cut) -> None:
    events = cut(LISTS, "new:\n" + "* x\n" * 30 + "new:\n" + "* y\n" * 30)
    assert len(events) == EVENTS
    assert (events[-1].title, events[-1].severity) == ("and 11 more events in this mail", "critical")


def test_pairs_are_labels_and_make_a_key(cut: Cut) -> None:
    first, second = cut(LABELS, "alert\nhost=a\nrack.no=7\nnotes\nwhy=hot\nalert\nhost=b\n")
    assert (first.host, first.title, first.key) == ("a", "hot", "host=a,rack.no=7")
    assert first.labels == {"host": "a", "rack.no": "7"}
    assert first.severity == "critical"
    assert (second.host, second.title, second.key) == ("b", "a list", "host=b")


def test_T19_pairs_are_bounded(cut: Cut) -> None:
    names = [f"{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200)]
    (event,) = cut(LABELS, "alert\n" + "".join(f"{name}={'x' * 5}\n" for name in names))
    assert len(event.labels) == 60


def test_every_place_of_a_cut_is_one_value_and_the_first_word_that_the_map_knows_counts(cut: Cut) -> None:
    (event,) = cut(LABELS, "disk a\ndisk b\ndisk a\nnotes\nwhy=hot\n")
    assert (event.title, event.severity) == ("hot", "critical")
    (event,) = cut(LABELS, "disk a\ndisk b\ndisk a\n")
    assert event.title == "a, b"
    (event,) = cut(LABELS, "".join(f"disk d{n}\n" for n in range(30)))
    assert event.title.endswith("d19 ...")


def test_a_title_is_one_line(cut: Cut) -> None:
    pack = "producer: x\nrecognise: {subject: list}\nevents: {fields: {title: '{text}'}}\n"
    assert cut(pack, "a\n   b\n\nc")[0].title == "a b c"
