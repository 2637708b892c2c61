"""Where there is no number to ring, the sentence that holds it goes, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from bridge.model import Event
from bridge.render.texts import compile_text, render
from bridge.render.variables import Variables
from bridge.sms.fit import fit

NUMBER = "+77770000001"


def shown(text: str, number: str, title: str = "4.1 bar") -> str:
    event = Event("s", "p", "db01", "O2", "high", "problem", "k", title, "d")
    variables = Variables(event, code="10", call_to_ack=number)
    pieces = render(
        compile_text(text, "here"), variables, language="en", zone=ZoneInfo("UTC"), now=datetime(2026, 1, 1, tzinfo=UTC)
    )
    return fit(pieces, 2, "keep").text


@pytest.mark.parametrize("text, whole, without", [
    ("{{ title }}. Ring {{ call_to_ack }}", f"4.1 bar. Ring {NUMBER}", "4.1 bar."),
    ("{{ title }}. Ring {{ call_to_ack }} now! Then go.", f"4.1 bar. Ring {NUMBER} now! Then go.", "4.1 bar. Then go."),
    ("{{ title }}: ring {{ call_to_ack }}", f"4.1 bar: ring {NUMBER}", "4.1 bar"),
    ("Ring {{ call_to_ack }}. {{ title }}", f"Ring {NUMBER}. 4.1 bar", "4.1 bar"),
    ("{{ host }}\n{{ call_to_ack }}", f"db01\n{NUMBER}", "db01"),
    ("{{ title }}. {{ code }} ok or {{ call_to_ack }}", f"4.1 bar. 10 ok or {NUMBER}", "4.1 bar. 10"),
    ("{{ title }} {{ '+' ~ call_to_ack }}.", f"4.1 bar +{NUMBER}.", "4.1 bar +."),
    ("{{ title }}; ring {{ call_to_ack | upper }}; {{ host }}", f"4.1 bar; ring {NUMBER}; db01", "4.1 bar; db01"),
])  # fmt: skip
def test_the_sentence_goes_and_the_code_in_it_stays(text: str, whole: str, without: str) -> None:
    assert shown(text, NUMBER) == whole
    assert shown(text, "") == without


def test_a_text_that_says_itself_what_stands_there_instead_is_left_alone() -> None:
    text = "{{ title }} {% if call_to_ack %}ring {{ call_to_ack }}{% else %}answer by SMS{% endif %}"
    assert shown(text, "") == "4.1 bar answer by SMS"
    assert shown(text, NUMBER) == f"4.1 bar ring {NUMBER}"


def test_words_of_the_alert_are_never_left_out() -> None:
    title = "Disk full. Call +77010000000 now"
    assert shown("{{ title }} or ring {{ call_to_ack }}", "", title) == title
    assert shown("{{ call_to_ack }} {{ title }}.", "", title) == f"{title}."
