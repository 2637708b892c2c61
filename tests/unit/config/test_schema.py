"""The schema that editors get fits every worked case, and refuses what ``check`` refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bridge.cli.schema import command
from bridge.config.document import read
from bridge.config.scalar import core_data
from bridge.config.schema import KINDS, Kind, schema

EXAMPLES = Path(__file__).parents[3] / "docs/examples"
TYPES: dict[str, Any] = {
    "string": str, "boolean": bool, "object": dict, "array": list, "null": type(None), "number": (int, float),
    "integer": int,
}  # fmt: skip


def fits(value: Any, one: Any, root: dict[str, Any]) -> bool:
    """As much of JSON Schema as our schemas use."""
    if one is True or one == {}:
        return True
    if "$ref" in one:
        return fits(value, root["$defs"][one["$ref"].rsplit("/", 1)[-1]], root)
    if not all(fits_any(value, one[key], root) for key in ("anyOf", "oneOf") if key in one):
        return False
    types = one.get("type", [])
    if types and not any(of_type(value, name) for name in ([types] if isinstance(types, str) else types)):
        return False
    if "enum" in one and value not in one["enum"]:
        return False
    if "const" in one and value != one["const"]:
        return False
    if isinstance(value, str) and "pattern" in one and not re.search(one["pattern"], value):
        return False
    if isinstance(value, list) and "items" in one:
        return all(fits(item, one["items"], root) for item in value)
    return not isinstance(value, dict) or fits_object(value, one, root)


def fits_any(value: Any, some: list[Any], root: dict[str, Any]) -> bool:
    return any(fits(value, one, root) for one in some)


def of_type(value: Any, name: str) -> bool:
    return isinstance(value, TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def fits_object(value: dict[str, Any], one: dict[str, Any], root: dict[str, Any]) -> bool:
    if any(key not in value for key in one.get("required", ())):
        return False
    for key, item in value.items():
        patterns = [inner for pattern, inner in one.get("patternProperties", {}).items() if re.search(pattern, key)]
        inner = one.get("properties", {}).get(key, next(iter(patterns), one.get("additionalProperties", True)))
        if inner is False or not fits(item, inner, root):
            return False
    return True


def cases() -> list[tuple[Kind, Path]]:
    found: list[tuple[Kind, Path]] = [("config", path) for path in sorted(EXAMPLES.glob("*/config.yaml"))]
    found += [("rules", path) for path in sorted(EXAMPLES.glob("*/rules/*.yaml"))]
    return found + [("tests", path) for path in sorted(EXAMPLES.glob("*/rules/tests/*.yaml"))]


def data(path: Path) -> Any:
    return core_data(read(path.read_bytes(), path.name).data)


@pytest.mark.parametrize(("kind", "path"), cases(), ids=lambda one: str(one)[-40:])
def test_the_schema_fits_the_worked_cases(kind: Kind, path: Path) -> None:
    whole = schema(kind)
    found = data(path)
    assert found
    wrong = [key for key in found if not fits({key: found[key]}, {**whole, "required": []}, whole)]
    assert wrong == []


def test_the_schema_refuses_an_unknown_key_and_a_wrong_word() -> None:
    whole = schema("rules")
    right = {"rules": [{"rule": "x", "to": "aigul", "class": "critical"}]}
    assert fits(right, whole, whole)
    assert not fits({"rules": [{"rule": "x", "tu": "aigul"}]}, whole, whole)
    assert not fits({"rules": [{"rule": "x", "class": "urgent"}]}, whole, whole)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_nothing_hidden_shows_in_the_schema(kind: Kind) -> None:
    text = json.dumps(schema(kind), ensure_ascii=False)
    assert "·" not in text
    assert '"label."' not in text


@pytest.mark.parametrize("kind", ["config", "rules", "tests"])
def test_the_verb_prints_the_schema(kind: str) -> None:
    result = CliRunner().invoke(command, [kind])
    assert result.exit_code == 0
    assert json.loads(result.output)["title"] == f"smsbridge {kind}"


def test_the_verb_names_its_kinds_when_asked_for_another() -> None:
    result = CliRunner().invoke(command, ["mails"])
    assert result.exit_code == 2
    assert "rules" in result.output
