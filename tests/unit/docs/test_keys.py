from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

import pytest

from bridge.config import models
from bridge.config.models import Config, RuleFile, TestFile
from bridge.config.models.base import Model
from tools import examples, keys, pages

PAGES = [page.name for page in keys.pages()]
FOLDER = keys.ROOT / keys.FOLDER
EXAMPLES = [(page, one) for page in PAGES for one in examples.examples(FOLDER / page)]
IDS = [f"{page}: {example.title}, line {example.line}" for page, example in EXAMPLES]
UNPLAYED = {"Not played yet", "Request", "AnswerStep", "CallStep", "ReceiptStep"}  # tests that wait for later work
Run = Callable[[pages.Section], examples.Ran]


@cache
def _text(page: str) -> str:
    return (FOLDER / page).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES)
def test_names_types_and_defaults_are_those_of_the_program(page: str) -> None:
    assert keys.rewritten(FOLDER / page) == _text(page), "run make docs"


@pytest.mark.parametrize("page", PAGES)
def test_every_key_has_a_sentence(page: str) -> None:
    wordless = [
        f"{found[1]}.{key}" for found in keys.MARK.finditer(_text(page)) for key, row in keys.rows(found[2]).items()
        if not row[1].endswith((".", "…"))
    ]  # fmt: skip
    assert wordless == []


def test_every_model_of_the_format_has_its_table() -> None:
    reached: set[type[Model]] = set()
    for kind in (Config, RuleFile, TestFile):
        _reach(kind, reached)
    told = set(keys.home_of_models(FOLDER)) | {"RuleKeys"}  # what a Rule has is told there
    assert {kind.__name__ for kind in reached} - told == set()
    assert {name for name in told if not hasattr(models, name)} == set()


def _reach(kind: type[Model], found: set[type[Model]]) -> None:
    """All models that *kind* is made of, through lists, maps and unions."""
    found.add(kind)
    for inner in _models_in([field.annotation for field in kind.model_fields.values()]):
        if inner not in found:
            _reach(inner, found)


def _models_in(annotations: list[object]) -> set[type[Model]]:
    found: set[type[Model]] = set()
    for one in annotations:
        if isinstance(one, type) and issubclass(one, Model):
            found.add(one)
        else:
            found |= _models_in([*getattr(one, "__args__", ())])
    return found


@pytest.mark.parametrize(("page", "example"), EXAMPLES, ids=IDS)
def test_an_example_loads_without_complaint_and_its_tests_hold(page: str, example: pages.Section, run: Run) -> None:
    ran = run(example)
    assert ran.complaints == ()
    assert ran.broken == ()
    assert ran.unbuilt == () or example.title in UNPLAYED


@pytest.mark.parametrize("page", PAGES)
def test_every_key_of_a_page_is_written_in_one_of_its_examples(page: str, run: Run) -> None:
    written: set[tuple[str, str]] = set()
    shown = ""
    for example in (one for name, one in EXAMPLES if name == page):
        loaded = run(example).loaded.loaded
        for part in (loaded.config, *(file for _, file in (*loaded.rule_files, *loaded.test_files))):
            written |= set(keys.written_keys(part))
        shown += "".join(block.text for block in example.named)
    missing = [
        f"{name}.{key}" for name in keys.models_of(_text(page)) for key, _ in keys.fields(name)
        if (name, key) not in written or not re.search(rf"\b{_as_written(key)}:", shown)
    ]  # fmt: skip
    assert missing == []


def _as_written(key: str) -> str:
    return {"label.X": r"label\.\w+", "header.X": r"header\.[\w-]+", "any other name": r"\w+"}.get(key, key)


def test_a_new_key_gets_a_row_without_words_and_what_people_wrote_stays() -> None:
    rows = keys.rows("| key | type | default | meaning |\n|---|---|---|---|\n| `relay` | x | – | Takes our mails. |\n")
    table = keys.table("OutgoingMail", rows, keys.home_of_models(FOLDER))
    assert "| **`relay`** | `smtp://HOST:PORT` `smtps://…` | – | Takes our mails. |\n" in table
    assert "| **`from`** | address | – |  |\n" in table


def test_the_default_of_a_key_whose_model_has_none_is_kept_as_written() -> None:
    rows = {"node": ("the host name", "What it is called.")}
    assert "| `node` | name | the host name | What it is called. |\n" in keys.table(
        "Config", rows, keys.home_of_models(FOLDER)
    )


def test_what_is_not_built_yet_is_said_behind_the_meaning_once() -> None:
    homes = keys.home_of_models(FOLDER)
    row = "| `mail` | x | – | Which reports. *Built so far: `pigeon`.* |\n"
    table = keys.table("Receipts", keys.rows("\n\n" + row), homes)
    assert "| Which reports. *Built so far: `failures` `never`.* |" in table
    assert "*Not built yet: `lmtp` `folder`.* |" in keys.table("Listener", {}, homes)
