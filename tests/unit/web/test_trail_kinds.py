"""Every kind of entry that the product writes into the journal has a sentence: found by walking through its source."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

import bridge
from bridge.model import MessageState
from bridge.store.attempts import Outcome
from bridge.web.seen import Seen
from bridge.web.trail_decisions import QUIET
from bridge.web.trail_steps import journal_step
from tests.unit.web.test_trail_said import LANGUAGES, SAID, entry

ROOM = Path(bridge.__file__).parent
KIND = re.compile(r"[a-z]+(\.[a-z_]+)+")
MADE = {"attempt.*": 4, "message.*": len(get_args(MessageState)), "incident.*": 3}  # kinds that f-strings make


@dataclass(frozen=True)
class Written:
    """One place of the product that writes an entry; *data* are the names of its data, None where they are not seen."""

    where: str
    kind: str  # with * for what is put in
    data: frozenset[str] | None


def written(room: Path = ROOM) -> Iterator[Written]:
    """Every kind that the product writes: at ``draft.log(kind, …)`` and ``JournalEntry(now, kind, …)``."""
    for path in sorted(room.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            kind = _kind_of(call)
            if kind is None:
                continue
            where = f"{path.relative_to(room)}:{call.lineno}"
            match kind:
                case ast.Constant(value=str(text)):
                    yield Written(where, text, _data_of(call))
                case ast.JoinedStr(values=parts):
                    text = "".join(str(p.value) if isinstance(p, ast.Constant) else "*" for p in parts)
                    yield Written(where, text, _data_of(call))
                case ast.Name():  # the caller of this function says it: whatever in this file looks like a kind
                    for text in _like_kinds(tree):
                        yield Written(where, text, None)


def _kind_of(call: ast.Call) -> ast.expr | None:
    """The argument that is the kind, if *call* writes an entry."""
    called = ast.unparse(call.func)
    if re.fullmatch(r"(.*\.)?draft\.log", called):
        return call.args[0]
    if re.fullmatch(r"(.*\.)?JournalEntry", called):
        return call.args[1] if len(call.args) > 1 else next(k.value for k in call.keywords if k.arg == "kind")
    return None


def _data_of(call: ast.Call) -> frozenset[str] | None:
    """The names of the data of ``draft.log``; what is behind ``**`` cannot be seen."""
    if isinstance(call.func, ast.Name):
        return None
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    return frozenset(names) - {"incident_id", "message_id"}


def _like_kinds(tree: ast.Module) -> set[str]:
    heads = {kind.partition(".")[0] for kind in SAID}
    texts = {n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str)}
    return {text for text in texts if KIND.fullmatch(text) and text.partition(".")[0] in heads}


WRITTEN = tuple(written())


def test_the_walk_over_the_source_finds_what_is_written() -> None:
    kinds = {each.kind for each in WRITTEN}
    assert len(kinds) > 50
    for kind in (
        "incident.opened",
        "call.not_offered",
        "attempt.found",
        "message.held",
        "message.created",
        "ladder.step",
    ):
        assert kind in kinds, kind
    assert {kind for kind in kinds if "*" in kind} == set(MADE), "say in MADE how many kinds the new one makes"


def test_the_walk_sees_every_way_of_writing(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(
        'def f(draft, now, kind):\n    draft.log("moon.rose", phase=1, incident_id=2)\n'
        '    draft.log(f"moon.{now}")\n    JournalEntry(now, "moon.set", 1)\n    JournalEntry(kind="moon.full")\n'
        '    asker.draft.log(kind)\nf(1, 2, "incident.eclipsed")\n'
    )
    found = {(each.kind, each.data) for each in written(tmp_path)}
    assert found == {
        ("moon.rose", frozenset({"phase"})), ("moon.*", frozenset()), ("moon.set", None), ("moon.full", None),
        ("incident.eclipsed", None),
    }  # fmt: skip


@pytest.mark.parametrize("kind", sorted({each.kind for each in WRITTEN if "*" not in each.kind}))
def test_every_kind_that_is_written_has_a_sentence_or_a_row_that_says_it_better(kind: str) -> None:
    places = ", ".join(each.where for each in WRITTEN if each.kind == kind)
    assert kind in SAID or kind in QUIET, f"{kind} ({places}) is not told in words"


def test_every_kind_that_is_put_together_has_one_too(v: Seen) -> None:
    submissions = get_args(get_type_hints(Outcome)["submission"])
    made = [f"attempt.{state.lower()}" for state in submissions]
    made += [f"message.{state.lower()}" for state in get_args(MessageState)]
    made += [f"incident.{verb}" for verb in ("ack", "unack", "resolve")]
    assert len(made) == sum(MADE.values())
    for kind in made:
        assert kind in QUIET or journal_step(v, entry(kind, {"provider": "smsc", "by": "ivan"})).title != kind


def test_nothing_is_told_that_nobody_writes() -> None:
    patterns = [re.compile(each.kind.replace(".", r"\.").replace("*", "[a-z_]+")) for each in WRITTEN]
    assert [kind for kind in (*SAID, *QUIET) if not any(p.fullmatch(kind) for p in patterns)] == []


@pytest.mark.parametrize(
    "place",
    [each for each in WRITTEN if each.data is not None and each.kind in SAID],
    ids=lambda place: f"{place.where} {place.kind}",
)
def test_the_examples_carry_what_the_product_writes(place: Written) -> None:
    data = place.data or frozenset()
    assert any(set(given) >= data for given, _ in SAID[place.kind]), place
    known = {name for each in WRITTEN if each.kind == place.kind for name in each.data or ()}
    assert all(set(given) <= known for given, _ in SAID[place.kind]), place


ANSWERS = ("answered", "asking", "calling", "commands", "muting", "shifts", "stopping")


def ways_of_reading() -> set[str]:
    """How an SMS may be read: what its handlers return, and what they say in answer."""
    found: set[str] = set()
    for name in ANSWERS:
        tree = ast.parse((ROOM / "dispatch" / f"{name}.py").read_text(encoding="utf-8"))
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            if [one.arg for one in function.args.args[:2]] == ["draft", "asker"] and "str" in ast.unparse(
                function.returns or ast.Constant("")
            ):
                found |= set(_returned(function))
        found |= {
            node.value.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "draft.read_as"
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        }
    return found


def _returned(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Return):
            continue
        for value in (node.value.body, node.value.orelse) if isinstance(node.value, ast.IfExp) else (node.value,):
            said = isinstance(value, ast.Call) and ast.unparse(value.func) == "say"
            text = value.args[2] if said and isinstance(value, ast.Call) and len(value.args) > 2 else value
            if isinstance(text, ast.Constant) and isinstance(text.value, str) and text.value:
                yield text.value


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_way_of_reading_an_sms_is_told_in_words(seen_in: Callable[[str], Seen], language: str) -> None:
    ways = ways_of_reading()
    assert {"ack", "esc", "swap no", "unmuted.none", "stranger"} <= ways
    assert {way for way in ways if not seen_in(language).say.has(f"read.{way}")} == set()
