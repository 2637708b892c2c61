"""What happened, in words that can be pasted into a test."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.document import read
from bridge.config.spans import written_duration
from bridge.proof.shown import flow

TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)


@given(TEXT)
def test_any_text_survives_the_way_through_yaml(text: str) -> None:
    item = flow({"sms": "asel", "text": text, "list": [text, "x"]})
    document = read(f"- {item}\n- {{a: 1}}\n".encode(), "x.yaml")
    top = read(f"top: {item}\n".encode(), "x.yaml")
    assert document is not None
    assert top.problems == []  # type: ignore[comparison-overlap]
    assert str(top.data["top"]["text"]) == text  # type: ignore[index,call-overload]
    assert [str(one) for one in top.data["top"]["list"]] == [text, "x"]  # type: ignore[index,call-overload,union-attr]


@pytest.mark.parametrize(
    "value, written",
    [
        ("ups1: Power Failure !!!", '"ups1: Power Failure !!!"'),
        ("db01 Нет места на /data", "db01 Нет места на /data"),
        ("+77010000001", '"+77010000001"'),
        ("a@b.test", "a@b.test"),
        ("(answer)", "(answer)"),
        ("[FIRING:1] x", '"[FIRING:1] x"'),
        ("two\nlines", '"two\\nlines"'),
        (True, "true"),
        (2, "2"),
    ],
)
def test_quotes_stand_only_where_yaml_wants_them(value: object, written: str) -> None:
    assert flow({"text": value}) == f"{{text: {written}}}"


@pytest.mark.parametrize(
    "span, written",
    [
        (timedelta(), "0s"),
        (timedelta(minutes=90), "1h30m"),
        (timedelta(days=1, hours=2), "1d2h"),
        (timedelta(seconds=-5), "-5s"),
    ],
)
def test_spans_read_as_they_are_written(span: timedelta, written: str) -> None:
    assert written_duration(span) == written
