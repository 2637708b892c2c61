"""JSON Schema of the three kinds of files, for editors (``# yaml-language-server: $schema=…``).

An editor reads YAML without our rule that a scalar is read by its key, so types are wide where an unquoted
``+77010000001`` would be a number to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, JsonSchemaWarningKind
from pydantic_core import core_schema

from bridge.config.models import Config, RuleFile, TestFile
from bridge.config.models.base import Model

Kind = Literal["config", "rules", "tests"]
KINDS: Mapping[Kind, type[Model]] = {"config": Config, "rules": RuleFile, "tests": TestFile}
_ALONE = {"Threshold": "3 in 5m", "Store": "sqlite:///PATH", "Unrouted": "operator"}  # models with a short form
_UNDONE = ("key", "escalate", "quiet", "group", "digest", "flap", "threshold", "budget")  # may be null in a rule
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class _Generator(GenerateJsonSchema):
    """Leaves defaults out (they are ours, not text of the format) and never speaks of what it left out."""

    ignored_warning_kinds: set[JsonSchemaWarningKind] = {"skipped-choice", "non-serializable-default"}  # noqa: RUF012

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def field_title_should_be_set(self, schema: object) -> bool:
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])


def schema(kind: Kind) -> dict[str, Any]:
    """The schema of one kind of file."""
    made = KINDS[kind].model_json_schema(by_alias=True, schema_generator=_Generator, mode="validation")
    definitions = made.get("$defs", {})
    for name, one in ((kind, made), *definitions.items()):
        _plain_forms(one)
        if name in ("Rule", "RuleKeys"):
            for key in _UNDONE:
                one["properties"][key] = {"anyOf": [one["properties"][key], {"type": "null"}]}
        if name in _ALONE:
            definitions[name] = {"anyOf": [{"type": "string", "description": _ALONE[name]}, dict(one)]}
    return {"$schema": _DIALECT, "title": f"smsbridge {kind}", **{k: v for k, v in made.items() if k != "title"}}


def _plain_forms(one: dict[str, Any]) -> None:
    """Turn what our models hold under hidden keys into what an operator writes."""
    properties = one.get("properties", {})
    for name in [name for name in properties if name.endswith(".") or name.startswith("·")]:
        inner = properties.pop(name)
        value = inner.get("additionalProperties", True)
        if name.endswith("."):
            one.setdefault("patternProperties", {})["^" + name.replace(".", r"\.") + "."] = value
        elif name == "·own":
            one["additionalProperties"] = value
        elif name == "·globs":
            whole = {key: one.pop(key) for key in list(one)}
            one["anyOf"] = [inner, {"type": "number"}, {"type": "boolean"}, whole]
