"""What all models of the format share: strict keys, frozen values, errors that never quote their input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict

from bridge.config.scalar import Scalar
from bridge.config.units import Name

T = TypeVar("T")

HIDDEN = "·"  # parts of an error's place that begin with it are ours, not the operator's
DOTTED = "."  # a part that ends with it is joined with the next: "label." + "env"


class Model(BaseModel):
    """A map of the format. Attribute = YAML key; ``from``, ``class`` … are ``from_``, ``class_`` …"""

    model_config = ConfigDict(
        extra="forbid", frozen=True, populate_by_name=True, hide_input_in_errors=True, protected_namespaces=()
    )


Named = Annotated[Mapping[Name, T], "a map by name"]  # keys in lower case


def keyed(value: object) -> str:
    """Which shape a value has that may be a name or a map: for ``Discriminator``."""
    return HIDDEN + ("map" if isinstance(value, Mapping | BaseModel) else "text")


def listed(value: object) -> str:
    """Which shape a value has that may be a name or a list of maps."""
    return HIDDEN + ("text" if isinstance(value, str) and not _is_null(value) else "list")


def _is_null(value: object) -> bool:
    return isinstance(value, Scalar) and value.value is None


def gathered(value: object, field: str, known: frozenset[str], prefix: str = "") -> object:
    """*value* with all keys that are not *known* (but begin with *prefix*) gathered under the one key *field*.

    For maps whose further keys are free: ``label.X`` of conditions, own budgets.
    """
    if not isinstance(value, Mapping):
        return value
    free = {key: item for key, item in value.items() if key not in known and str(key).startswith(prefix)}
    if not free:
        return value
    kept = {key: item for key, item in value.items() if key not in free}
    return kept | {field: {Scalar(str(key)[len(prefix) :], quoted=True): item for key, item in free.items()}}


def aliases(kind: type[Model]) -> frozenset[str]:
    """The keys of a model as operators write them."""
    names = (field.alias or name for name, field in kind.model_fields.items())
    return frozenset(name for name in names if not name.startswith("·") and not name.endswith("."))
