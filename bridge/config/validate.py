"""Plain data of a document → a model, and pydantic's errors → our sentences (wording §8).

What is wrong is cut out and the rest validated again, so that names in the rest can still be checked and all
mistakes of all files are told at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bridge.config.document import SECRET_KEYS, Data, Document, key_of, value_at
from bridge.config.models import Condition, Rule
from bridge.config.models.base import Model, aliases
from bridge.config.problem import Path, written_path
from bridge.config.scalar import EMPTY, is_null, shown
from bridge.config.secrets import IN_THE_FILE
from bridge.config.similar import did_you_mean

M = TypeVar("M", bound=Model)
Mistake = tuple[Path, str, bool]  # where, the sentence, and whether the key (not the value) is meant

_ROUNDS = 30  # of cutting out; every round takes at least one value away
_FILL: dict[str | int, Any] = {
    "listen": [],
    "providers": {},
    "operator": {"mail": "nobody@localhost"},
    **dict.fromkeys(("rule", "watch", "inhibit", "silence", "test")),  # the name is made of the place
}


def validate(
    kind: type[M], data: Mapping[str, Data], context: Mapping[str, object]
) -> tuple[M | None, list[Mistake], Document]:
    """The model of *data* and what is wrong with it; the model lacks what was wrong (None: nothing was left).

    The document knows by its ``cuts`` which items of lists are missing in the model.
    """
    cut = Document("")
    mistakes: list[Mistake] = []
    rest: Any = data
    for _ in range(_ROUNDS):
        try:
            model = kind.model_validate(rest, context=dict(context), by_alias=True, by_name=False)
            return model, mistakes, cut
        except ValidationError as error:
            errors = error.errors(include_url=False)
        if not mistakes:
            mistakes = [_mistake(kind, data, item) for item in errors]
        rest = _mended(rest, errors, cut)
        if rest is None:
            break
    return None, mistakes, cut


def _mended(data: Any, errors: Iterable[ErrorDetails], cut: Document) -> Any:
    """*data* without what is wrong; names that are missing are filled in, so that lists keep their order."""
    cuts: set[Path] = set()
    for error in errors:
        path = written_path(error["loc"])
        if error["type"] == "missing" and path[-1] in _FILL:
            data = _changed(data, path, _FILL[path[-1]] or f"·{path}")
        else:
            cuts.add(path[:-1] if error["type"] == "missing" else path)
    for path in sorted(cuts, key=lambda path: [(isinstance(part, int), part) for part in path], reverse=True):
        if path and isinstance(path[-1], int) and isinstance(value_at(data, path[:-1]), list):
            whole = cut.written(path)
            cut.cuts.setdefault(whole[:-1], []).append(int(whole[-1]))
        data = _changed(data, path, None)
    return data


def _changed(data: Any, path: Path, value: Any) -> Any:
    """*data* with *value* at *path*; None takes away what is there. A copy: the document stays as it was."""
    if not path:
        return value
    head, rest = path[0], path[1:]
    if isinstance(data, Mapping):
        key = key_of(data, head)
        inner = _changed(data[key] if key is not None else None, rest, value)
        kept = {name: item for name, item in data.items() if name != key}
        return kept if inner is None else kept | {key if key is not None else str(head): inner}
    if isinstance(data, list) and isinstance(head, int) and head < len(data):
        inner = _changed(data[head], rest, value)
        return data[:head] + ([] if inner is None else [inner]) + data[head + 1 :]
    return None  # a single value where the model made a list of it


# --- sentences -----------------------------------------------------------------------------------


def _mistake(kind: type[Model], data: Mapping[str, Data], error: ErrorDetails) -> Mistake:
    path = written_path(error["loc"])
    value = value_at(data, path)
    match error["type"]:
        case "extra_forbidden":
            return path, _no_such_key(kind, path), True
        case "missing":
            return path[:-1], _missing(kind, path), True
        case "literal_error":
            return path, _one_of(str(error.get("ctx", {}).get("expected", "")), value, path), False
        case "value_error" | "assertion_error":
            return path, _own(str(error.get("ctx", {}).get("error", "")), path), False
        case "model_type" | "model_attributes_type" | "dict_type" | "mapping_type":
            return path, _shape("keys and values", value, path), False
        case "tuple_type" | "list_type":
            return path, _shape("a list", value, path), False
    return path, _shape("something else", value, path), False


def _own(sentence: str, path: Path) -> str:
    """A sentence of ours; the proposal for a secret gets the name of what it belongs to."""
    if sentence == IN_THE_FILE and len(path) > 1:
        name = next((str(part) for part in reversed(path[:-1]) if isinstance(part, str)), "NAME")
        return sentence.replace("NAME", name, 1)
    return sentence


def _shape(right: str, value: object, path: Path) -> str:
    if is_null(value):
        return EMPTY
    if any(part in SECRET_KEYS for part in path):
        return f"{right} belong here" if right.endswith("s") else f"{right} belongs here"
    return f"{right} belong here; found {shown(value)}" if right.endswith("s") else f"{right}; found {shown(value)}"


def _one_of(expected: str, value: object, path: Path) -> str:
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    found = str(value) if isinstance(value, str) and path[-1:] != ("password",) else ""
    near = did_you_mean(found, words) if found else ""
    return f"{' or '.join([', '.join(words[:-1]), words[-1]] if len(words) > 1 else words)}; found {shown(value)}" + (
        near
    )


def _missing(kind: type[Model], path: Path) -> str:
    if kind.__name__ == "Config" and path == ("operator",):
        return "operator is missing; say who hears of trouble: operator: {mail: it@example.kz}"
    if path[-1] == "phone" and path[:1] == ("people",):
        return "phone is missing; for mail alone write the address under mail_to:"
    if path[-1] == "rule":
        return "rule is missing; give it a name"
    return f"{path[-1]} is missing"


def _no_such_key(kind: type[Model], path: Path) -> str:
    """Where the key belongs, or what was meant."""
    owners = models_at(kind, path[:-1])
    key = str(path[-1])
    if Rule in owners and _has(Condition, key):
        return "belongs under when:"
    if Condition in owners and "when" in path and _has(Rule, key):
        return "belongs beside when:, not under it" + ("; the mail's address is recipient" if key == "to" else "")
    if path[0] == "defaults" and len(path) == 2 and _has(Rule, key):
        return "every rule writes its own; defaults cannot hold it"
    known = {alias for owner in owners for alias in aliases(owner)}
    if near := did_you_mean(key, known):
        return "no such key" + near
    return f"no such key; here may stand {', '.join(sorted(known))}" if 0 < len(known) <= 12 else "no such key"


def _has(kind: type[Model], key: str) -> bool:
    return key in aliases(kind) or (kind is Condition and key.startswith(("label.", "header.")))


def models_at(kind: type[Model], path: Path) -> set[type[Model]]:
    """The models that a value at *path* below *kind* may be: one, or none where a plain value stands."""
    here: list[Any] = [kind]
    for part in path:
        here = [step for shape in here for step in _step(shape, part)]
    return {shape for shape in here if isinstance(shape, type) and issubclass(shape, Model)}


def _step(shape: Any, part: str | int) -> Iterable[Any]:
    if isinstance(shape, type) and issubclass(shape, Model):
        for name, field in shape.model_fields.items():
            if (field.alias or name) == part or (field.alias == "·own" and part not in aliases(shape)):
                yield from _flat(field.annotation, skip_map=field.alias == "·own")
            elif field.alias and field.alias.endswith(".") and str(part).startswith(field.alias):
                yield from _flat(field.annotation, skip_map=True)
        return
    arguments = get_args(shape)
    if get_origin(shape) is tuple and isinstance(part, int):
        yield from _flat(arguments[0])
    elif arguments and get_origin(shape) is not tuple:
        yield from _flat(arguments[-1])


def _flat(shape: Any, *, skip_map: bool = False) -> Iterable[Any]:
    """The shapes behind Annotated and unions; with *skip_map* those of a map's values."""
    origin = get_origin(shape)
    if origin is Annotated:
        yield from _flat(get_args(shape)[0], skip_map=skip_map)
    elif origin in (Union, UnionType):
        for one in get_args(shape):
            yield from _flat(one, skip_map=skip_map)
    elif skip_map and origin is not None:
        yield from _flat(get_args(shape)[-1])
    elif shape is not NoneType:
        yield shape
