from __future__ import annotations

from collections.abc import Callable

import pytest

from bridge.sms.edits import edited
from bridge.sms.tables import table
from bridge.sms.wording import phrases, words


def shorter(step: Callable[..., object], text: str, language: str) -> str:
    return edited(text, [edit for edit in step(text, table(language)) if edit.saved > 0])  # type: ignore[attr-defined]


@pytest.mark.parametrize("language, text, expected", [
    ("en", "Load is too high", "Load high"),
    ("en", "more than 90%", ">90%"),
    ("en", "is greater than 5.5", ">5.5"),
    ("en", "no more than 5", "<=5"),
    ("en", "more than usual", "more than usual"),
    ("en", "is not down", "not down"),
    ("en", "routes below 10.0.0.0/8", "routes below 10.0.0.0/8"),
    ("en", "due after 03:12, below 2026-11-21", "due after 03:12, below 2026-11-21"),
    ("en", "THE VIRTUAL MACHINE", "VM"),
    ("ru", "базы данных", "БД"),
    ("ru", "Свободно менее 5%", "Свободно <5%"),
    ("ru", "не более 5", "<=5"),
    ("ru", "больше не отвечает", "больше не отвечает"),
    ("kk", "Деректер базасы", "ДҚ"),
    ("uk", "більше ніж 90%", ">90%"),
    ("de", "is too high", "is too high"),
])  # fmt: skip
def test_turns_of_speech(language: str, text: str, expected: str) -> None:
    assert shorter(phrases, text, language) == expected


@pytest.mark.parametrize("language, text, expected", [
    ("en", "Utilization of memory", "Util of mem"),
    ("en", "CPU UTILIZATION", "CPU UTIL"),
    ("en", "memory: low", "mem: low"),
    ("en", "memory.", "mem."),
    ("ru", "Использование памяти", "Исп. памяти"),
    ("ru", "нет использования.", "нет исп."),
    ("ru", "memory", "mem"),
    ("kk", "процессор", "ЦП"),
    ("kk", "использование memory", "исп. mem"),
    ("uk", "використання memory", "викор. mem"),
    ("uk", "система", "система"),  # the Russian table is not read: its words may mean something else
    ("de", "memory utilization", "memory utilization"),
    ("", "memory utilization", "memory utilization"),
])  # fmt: skip
def test_common_words_by_the_table_of_the_readers(language: str, text: str, expected: str) -> None:
    assert shorter(words, text, language) == expected


@pytest.mark.parametrize("text", [
    'for "Memory Server"', "«Memory»", "memory-server", "memory_1", "/var/memory", "memory.example.com", "a.memory",
    "memory2", "memory=5", "user@server", "server:8080", "disk/server", "#server", "`memory`",
])  # fmt: skip
def test_names_stay(text: str) -> None:
    assert shorter(words, text, "en") == text


def test_a_word_left_out_takes_its_blank_along() -> None:
    assert shorter(phrases, "on the disk, the", "en") == "on disk, "
