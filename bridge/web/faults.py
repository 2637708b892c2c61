"""The pretend provider's switches, as sentences (console.md §7). The settings are those of its control API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from bridge.web.ports import PretendWorld
from bridge.web.say import Say

GATEWAY = "smsc"  # the only one that can be made to fail so far

_SETTINGS: Mapping[str, Mapping[str, object]] = {
    "refuse": {"refuse": 8},
    "silent": {"silent": True},
    "noreceipt": {"receipts": "none"},
    "twice": {"receipts": "twice"},
    "reversed": {"receipts": "reversed"},
    "slow": {"delay": 8.0},
    "money": {"refuse": 3},
}


@dataclass(frozen=True, slots=True)
class Switch:
    """One way of failing, and whether it is on."""

    key: str
    word: str
    hint: str
    on: bool


def switches(world: PretendWorld, say: Say) -> list[Switch]:
    """All switches of the gateway."""
    now = _now(world)
    return [
        Switch(
            key,
            say(f"fault.{key}"),
            say(f"fault.{key}.hint") if say.has(f"fault.{key}.hint") else "",
            _is_on(now, setting),
        )
        for key, setting in _SETTINGS.items()
    ]


def toggle(world: PretendWorld, key: str) -> None:
    """Turn one switch; "" makes the gateway healthy. A switch that uses the same setting goes off."""
    now = _now(world)
    setting = _SETTINGS.get(key)
    if setting is None:
        world.set_faults({})
        return
    on = _is_on(now, setting)
    rest = {name: value for name, value in now.items() if name not in setting}
    wanted = rest if on else {**rest, **setting}
    world.set_faults({GATEWAY: {"all": wanted}} if wanted else {})


def summary(world: PretendWorld | None, say: Say) -> str:
    """What the top bar says, "" while all is healthy."""
    if world is None:
        return ""
    words = [switch.word for switch in switches(world, say) if switch.on]
    return say("faults.now", what=", ".join(words)) if words else ""


def _now(world: PretendWorld) -> dict[str, Any]:
    gateway = cast(Mapping[str, Any], world.air.faults.as_json().get(GATEWAY) or {})
    return dict(gateway.get("all") or {})


def _is_on(now: Mapping[str, Any], setting: Mapping[str, object]) -> bool:
    return all(now.get(name) == value for name, value in setting.items())
