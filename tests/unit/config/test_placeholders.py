"""Words in braces, JSON pointers, and JSON and XML that are written by them."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.placeholders import at, built, built_xml, filled, is_pointer, names_in, words_in


def test_words_in_braces_are_filled_in_and_doubled_braces_are_braces() -> None:
    values = {"phone": "+77010000001", "text": "db01"}
    assert names_in("to={phone}&{{x}}={text}") == ["phone", "text"]
    assert filled("to={phone}&{{x}}={text}", values) == "to=+77010000001&{x}=db01"
    assert words_in("{phone} { {text}") == {"phone", "text"}


@pytest.mark.parametrize("text", ["{", "a } b", "{Phone}", "{phone", "{}", "{0}"])
def test_a_brace_that_stands_alone_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="write it twice"):
        names_in(text)


@given(st.text())
def test_T17_a_value_is_never_looked_at_again(foreign: str) -> None:
    """``{password}`` in the text of an alert stays what it is."""
    text = f"{{password}} {foreign}"
    assert filled("{text}|{login}", {"text": text, "login": "acme", "password": "hunter2"}) == f"{text}|acme"


def test_a_pointer_finds_what_it_names_and_nothing_else() -> None:
    document = {"a": [{"b/c": "1", "d~e": "2"}], "": {"": "3"}}
    assert at(document, "/a/0/b~1c") == "1"
    assert at(document, "/a/0/d~0e") == "2"
    assert at(document, "//") == "3"
    assert at(document, "") is document
    for missing in ("/x", "/a/1", "/a/-1", "/a/0/b~1c/d", "/a/٠", "/a/" + "9" * 400):
        assert at(document, missing) is None


@pytest.mark.parametrize(
    "place,pointer", [("/a/0", True), ("/a~2", False), ("id=(.*)", False), ("", False), ("/", True)]
)
def test_a_pointer_is_told_from_a_pattern(place: str, pointer: bool) -> None:
    assert is_pointer(place) is pointer


def test_json_is_built_by_pointers() -> None:
    fields = [("/m/0/to", "7701"), ("/m/0/text", "x"), ("/m/1/to", "7702"), ("from", "ACME"), ("/opts/a~1b", "1")]
    assert json.dumps(built(fields)) == json.dumps(
        {"m": [{"to": "7701", "text": "x"}, {"to": "7702"}], "from": "ACME", "opts": {"a/b": "1"}}
    )


@pytest.mark.parametrize(
    "names", [["a", "a"], ["a", "/a/b"], ["/a/b", "a"], ["/a/0", "/a/2"], ["/a/0", "/a/x"], ["/a/0", "/a/0"]]
)
def test_two_fields_for_one_place_are_refused(names: list[str]) -> None:
    with pytest.raises(ValueError, match=r"stands|numbered"):
        built([(name, "x") for name in names])


@pytest.mark.parametrize(
    ("names", "written"),
    [
        (["/a"], "<a>0</a>"),
        (["/a/@b"], '<a b="0" />'),
        (["/a/b/@c", "/a/b", "/a/d"], '<a><b c="0">1</b><d>2</d></a>'),
        (["/a/b/0", "/a/c", "/a/b/1/@d"], '<a><b>0</b><c>1</c><b d="2" /></a>'),
        (["/s:E/@xmlns:s", "/s:E/s:B"], '<s:E xmlns:s="0"><s:B>1</s:B></s:E>'),
    ],
)
def test_paths_make_an_xml_document(names: list[str], written: str) -> None:
    fields = [(name, str(number)) for number, name in enumerate(names)]
    assert ElementTree.tostring(built_xml(fields)).decode() == written


@pytest.mark.parametrize(
    ("names", "said"),
    [
        ([], "an XML document wants at least one field"),
        (["text"], "text: in XML a field is a path, like /message/text or /message/@id"),
        (["/"], "/: in XML a field is a path"),
        (["/a/"], "/a/: in XML a field is a path"),
        (["/@a"], "/@a: in XML a field is a path"),
        (["/a/@"], "/a/@: in XML a field is a path"),
        (["/a/1/2"], "/a/1/2: in XML a field is a path"),
        (["/a/<b>"], "/a/<b>: in XML a field is a path"),
        (["/a/b", "/c"], "/c: a document has one outermost element, here a"),
        (["/a/1"], "/a/1: a document has one outermost element, here a"),
        (["/a/b/1"], "/a/b/1: elements of one name are numbered from 0 without a gap"),
        (["/a/b", "/a/b/0"], "/a/b/0 stands there twice"),
        (["/a/b/@c", "/a/b/0/@c"], "/a/b/0/@c stands there twice"),
    ],
)
def test_paths_that_make_no_xml_are_said(names: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=re.escape(said)):
        built_xml([(name, "x") for name in names])
