from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bridge.cli.text import command


def calculate(given: str | bytes, *options: str) -> Result:
    return CliRunner().invoke(command, options, input=given)


def answers(given: str, *options: str) -> list[dict[str, Any]]:
    result = calculate(given, "--json", *options)
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


def test_json_line_in_json_line_out() -> None:
    assert answers('{"text": "Disk full"}\n{"text": "№ 5"}') == [
        {
            "encoding": "GSM-7",
            "segments": 1,
            "left": 151,
            "text": "Disk full",
            "septets": 9,
            "forced_by": [],
            "shortened": False,
        },
        {
            "encoding": "UCS-2",
            "segments": 1,
            "left": 67,
            "text": "№ 5",
            "units": 3,
            "forced_by": ["№"],
            "shortened": False,
        },
    ]


@pytest.mark.parametrize(
    "text, encoding, segments, left",
    [
        ("a" * 160, "GSM-7", 1, 0),
        ("a" * 161, "GSM-7", 2, 145),
        ("€" * 81, "GSM-7", 2, 143),
        ("я" * 71, "UCS-2", 2, 63),
        ("😀" * 36, "UCS-2", 2, 61),
        ("", "GSM-7", 1, 160),
        ("two\nlines", "GSM-7", 1, 151),
    ],
)
def test_counts_a_text_as_it_stands(text: str, encoding: str, segments: int, left: int) -> None:
    (answer,) = answers(json.dumps({"text": text}))
    assert (answer["encoding"], answer["segments"], answer["left"]) == (encoding, segments, left)
    assert answer["text"] == text


def test_alphabet_shows_what_the_bridge_would_send() -> None:
    given = json.dumps({"text": "  Сервер «db»  упал –  " + "диск " * 12})
    assert [answers(given, "--alphabet", name)[0]["segments"] for name in ("keep", "translit", "cheaper")] == [2, 1, 1]
    assert answers(given, "--alphabet", "cheaper")[0]["text"].startswith('Server "db" upal - disk disk')
    assert answers('{"text": "«a» № 5…"}', "--alphabet", "keep")[0]["text"] == '"a" N 5..'


def test_parts_shorten_and_say_so() -> None:
    (answer,) = answers(json.dumps({"text": "word " * 100}), "--parts", "2")
    assert answer["segments"] == 2
    assert answer["shortened"]
    assert answer["text"].endswith("word..")
    assert calculate("word " * 100, "--parts", "1").stdout.rstrip().endswith("word.. (shortened)")


def test_T14_shows_the_text_without_the_command() -> None:
    assert answers('{"text": "__CALL__: x"}', "--parts", "1")[0]["text"] == "_CALL__: x"


def test_table_names_the_dear_character() -> None:
    result = calculate("Disk full\n№ 5 " + "a" * 80 + "\n")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "GSM-7  1 segment       9 septets  151 left  Disk full",
        "UCS-2  2 segments     84 units     50 left  № 5 " + "a" * 80,
        "       “№” doubles the price: 2 segments, 1 with --alphabet keep",
    ]


def test_table_says_when_the_dear_characters_cost_nothing_yet() -> None:
    assert calculate("№ 5").stdout.splitlines()[1].strip() == "“№” makes it UCS-2; without, it costs the same"
    assert calculate("Да").stdout.splitlines()[1].strip() == "“Д”, “а” make it UCS-2; without, it costs the same"


def test_table_names_few_of_many_and_counts_the_others() -> None:
    note = calculate("Сервер базы данных " * 4).stdout.splitlines()[1].strip()
    assert note == "“С”, “е”, “р”, “в”, “б” and 6 more double the price: 2 segments, 1 with --alphabet translit"
    note = calculate("Сервер базы данных " * 8).stdout.splitlines()[1].strip()
    assert note.endswith("and 6 more make it dearer: 3 segments, 1 with --alphabet translit")


def test_table_names_what_cannot_be_seen() -> None:
    assert "“ZERO WIDTH SPACE” makes" in calculate("a\u200bb").stdout
    assert "“NO-BREAK SPACE” makes" in calculate("a\xa0b").stdout


@pytest.mark.parametrize(
    "line, complaint",
    [
        (b"nonsense", "line 2: not JSON (Expecting value: line 1 column 1 (char 0))."),
        (b"", "line 2: not JSON"),
        (b'{"tex": "x"}', 'line 2: no text in it. Write {"text": "..."}.'),
        (b'{"text": 5}', "line 2: no text in it."),
        (b'["text"]', "line 2: no text in it."),
        (b"[" * 100_000, "line 2: not JSON"),
        (b'{"text": "\xcf\xf0"}', "line 2: not UTF-8 at byte 11."),
    ],
)
def test_bad_line_is_named_and_the_others_are_answered(line: bytes, complaint: str) -> None:
    result = calculate(b'{"text": "one"}\n' + line + b'\n{"text": "three"}\n', "--json")
    assert result.exit_code == 1
    assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["one", "three"]
    assert result.stderr.startswith(f"smsbridge text: {complaint}")


def test_half_of_a_surrogate_pair_is_shown_not_fatal() -> None:
    assert answers('{"text": "a\\ud800b \\ud83d\\ude00"}')[0]["text"] == "a\ufffdb 😀"


def test_line_ends_and_byte_order_mark_are_no_part_of_the_text() -> None:
    assert [line[-3:] for line in calculate("\ufeffone\r\ntwo\r\n").stdout.splitlines()] == ["one", "two"]


def test_nothing_in_nothing_out() -> None:
    result = calculate("")
    assert (result.exit_code, result.output) == (0, "")


def test_wrong_call_ends_with_2() -> None:
    assert calculate("x", "--parts", "0").exit_code == 2
    assert calculate("x", "--alphabet", "cyrillic").exit_code == 2


def test_documented_examples_are_what_it_prints() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "count-an-sms.md"
    examples = re.findall(
        r"^\$ echo ('.*') \| smsbridge text(.*)\n((?:[^$`].*\n)+)", page.read_text("utf-8"), re.MULTILINE
    )
    assert len(examples) == 4
    for text, options, printed in examples:
        assert calculate(*shlex.split(text), *shlex.split(options)).stdout == printed
