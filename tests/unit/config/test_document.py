"""YAML: core scalars of 1.2, places, and the traps of T20."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.config.document import MOST_ALIASES, MOST_BYTES, MOST_DEPTH, read
from bridge.config.problem import Place
from bridge.config.scalar import Scalar, core, core_data


def told(text: str | bytes) -> list[str]:
    return [str(one) for one in read(text if isinstance(text, bytes) else text.encode(), "c.yaml").problems]


@pytest.mark.parametrize(
    ("raw", "value"),
    [
        ("true", True), ("false", False), ("yes", "yes"), ("no", "no"), ("on", "on"), ("off", "off"), ("True", "True"),
        ("0123", 123), ("077011234", 77011234), ("0o17", 15), ("0x1F", 31), ("1e3", 1000.0), ("1_000", "1_000"),
        ("22:00", "22:00"), ("2026-11-21", "2026-11-21"), ("~", None), ("null", None), ("", None), ("+77", 77),
        (".5", 0.5), ("14.00", 14.0), ("-", "-"), ("+", "+"), (".", "."), ("1" * 50, "1" * 50), ("Null", None),
        (".inf", ".inf"), ("NaN", "NaN"), ("=", "="), ("y", "y"),
    ],
)  # fmt: skip
def test_T20_a_plain_scalar_is_what_yaml_1_2_calls_it(raw: str, value: object) -> None:
    assert core(raw) == value
    assert type(core(raw)) is type(value)


def test_T20_a_scalar_keeps_how_it_was_written() -> None:
    data = read(b"phone: +77010000001\ncode: 0123\nwhen: 22:00\n", "c.yaml").data
    assert {str(key): str(value) for key, value in data.items()} == {
        "phone": "+77010000001", "code": "0123", "when": "22:00",
    }  # fmt: skip


def test_T20_keys_of_maps_keep_how_they_were_written() -> None:
    assert list(read(b"+7701: 1\n0123: 2\non: 3\ntrue: 4\n", "c.yaml").data) == ["+7701", "0123", "on", "true"]


def test_quotes_make_text_of_everything() -> None:
    data = read(b"a: '12'\nb: \"true\"\nc: |\n  null\n", "c.yaml").data
    assert core_data(data) == {"a": "12", "b": "true", "c": "null\n"}


def test_places_are_those_of_keys_and_values() -> None:
    document = read("a:\n  - б: 1\n    cc:   x\n".encode(), "c.yaml")
    assert document.keys["a", 0, "cc"] == Place(3, 5)
    assert document.values["a", 0, "cc"] == Place(3, 11)
    assert document.place(("a", 0, "missing", "deeper")) == (("a", 0), Place(2, 5))
    assert document.place(("nowhere",)) == ((), Place())


def test_a_value_that_stands_alone_has_no_index() -> None:
    document = read(b"to: aigul\n", "c.yaml")
    assert document.place(("to", 0)) == (("to",), Place(1, 5))


def test_names_are_found_without_regard_to_case() -> None:
    document = read("people:\n  Айгуль: {phone: 1}\n".encode(), "c.yaml")
    assert document.place(("people", "айгуль", "phone"))[1] == Place(2, 19)


@pytest.mark.parametrize("text", ["\ufeffa: 1\r\nb: 2\r\n", "a: 1\nb: 2\n", "a: 1\r\nb: 2"])
def test_a_byte_order_mark_and_crlf_are_accepted(text: str) -> None:
    document = read(text.encode(), "c.yaml")
    assert document.problems == []
    assert core_data(document.data) == {"a": 1, "b": 2}


@pytest.mark.parametrize("text", ["", "# only a comment\n", "---\n", "\ufeff"])
def test_an_empty_file_is_an_empty_map(text: str) -> None:
    document = read(text.encode(), "c.yaml")
    assert (document.data, document.problems) == ({}, [])


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a: 1\na: 2\n", "c.yaml:2:1 a: stands here and in line 1; keep one"),
        ("a: {x: 1, 'x': 2}\n", "c.yaml:1:11 a.x: stands here and in line 1; keep one"),
        ("<<: {a: 1}\n", "c.yaml:1:1 <<: merge keys are not read; write the keys out"),
        ("a: !x y\n", 'c.yaml:1:4 a: !x is a YAML tag; write "!x"'),
        ("a: !!python/object:os.system x\n", ("c.yaml:1:4 a: !!python/object:os.system is a YAML tag; "
         'write "!!python/object:os.system"')),
        ("password: !env X\n", "c.yaml:1:11 password: !env is a YAML tag; write the text in quotes"),
        ("a: *db\n", 'c.yaml:1:4 a: *db is a YAML alias; write "*db"'),
        ("a: *\n", 'c.yaml:1:4 a: * is a YAML alias; write "*"'),
        ("password: *abc\n", "c.yaml:1:11 password: *abc is a YAML alias; write the text in quotes"),
        ("a: &db\n", 'c.yaml:1:4 a: &db is a YAML anchor; write "&db"'),
        ("a: @x\n", 'c.yaml:1:4 a: a value cannot begin with @; write "@x"'),
        ("a: `x`\n", 'c.yaml:1:4 a: a value cannot begin with `; write "`x`"'),
        ("a:\n\tb: 1\n", "c.yaml:2:1 a tab; YAML indents with spaces"),
        ("a: 1\n--- \nb: 1\n", "c.yaml:2:1 a second document begins; one document a file"),
        ("a: {{ host }}\n", ("c.yaml:1:5 a: begins with a brace or a bracket; write the text in quotes, "
         'like "{{ host }}"')),
        ("? [a, b]\n: 1\n", ("c.yaml:1:3 begins with a brace or a bracket; write the text in quotes, "
         'like "{{ host }}"')),
        ("a: &x [*x]\n", "c.yaml:1:4 a[0]: an alias inside of what it stands for"),
        ("- a\n", "c.yaml:1:1 keys and values belong here, like rules:"),
        ("just words\n", "c.yaml:1:1 keys and values belong here, like rules:"),
        ("a: \x00\n", "c.yaml:1:4 the control character U+0000; take it out"),
    ],
)  # fmt: skip
def test_T20_a_trap_gets_a_sentence(text: str, line: str) -> None:
    assert told(text) == [line]


def test_all_mistakes_of_a_file_are_told_at_once() -> None:
    assert len(told("a: 1\na: 2\nb: !x 1\nc: {d: 1, d: 2}\n<<: {e: 1}\n")) == 4


def test_T20_aliases_are_counted() -> None:
    few = "x: &a [1]\n" + "".join(f"y{n}: *a\n" for n in range(MOST_ALIASES))
    assert told(few) == []
    assert told(few + "z: *a\n") == [f"c.yaml:1:4 z: more than {MOST_ALIASES} aliases; write it out"]


def test_T20_a_bomb_of_aliases_is_small() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    document = read("\n".join(lines).encode(), "c.yaml")
    assert "aliases" in str(document.problems[0])
    assert len(document.values) < 5000


def test_T20_depth_is_limited() -> None:
    assert told("a: " + "[" * (MOST_DEPTH - 1) + "]" * (MOST_DEPTH - 1)) == []
    assert f"nested more than {MOST_DEPTH} deep" in told("a: " + "[" * 40 + "]" * 40)[0]


@pytest.mark.parametrize("text", ["[" * 100_000, "{a: " * 50_000, "- " * 100_000, "a: " + "[" * 5000 + "]" * 5000])
def test_T20_very_deep_nesting_is_one_sentence(text: str) -> None:
    assert len(told(text)) == 1


def test_T20_size_is_limited() -> None:
    assert told(b"#" * (MOST_BYTES + 1)) == [
        f"c.yaml: {MOST_BYTES + 1} bytes; at most {MOST_BYTES}. Split it into several files"
    ]


def test_what_is_not_utf_8_is_told_with_its_place() -> None:
    assert told("a: 1\nb: ночь\n".encode("cp1251")) == ["c.yaml:2:4 not UTF-8; save the file as UTF-8"]


def test_a_scalar_is_a_str_that_pickles_nothing_else() -> None:
    assert Scalar("12", quoted=True).value == "12"
    assert Scalar("12").value == 12


@given(st.text(alphabet=st.sampled_from(list("ab:-[]{}\"'*&!%@`|>#?,\n \t<~012")), max_size=60))
def test_T20_any_text_is_read_or_refused(text: str) -> None:
    document = read(text.encode(), "c.yaml")
    assert all(problem.sentence for problem in document.problems)


@given(st.binary(max_size=200))
def test_T20_any_bytes_are_read_or_refused(content: bytes) -> None:
    read(content, "c.yaml")
