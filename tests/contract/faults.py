"""Every way of going wrong that the simulator has, taken from the simulator itself.

A new fault, or a new value of one, is here at once, and each door fails until it says what it expects of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin, get_type_hints

from bridge.simulator.faults import Fault

_WITH_OTHERS = frozenset({"on", "times"})  # when a fault strikes: it is none itself
_SAMPLES: Mapping[str, tuple[Any, ...]] = {
    "refuse": tuple(range(1, 10)),
    "command_status": (0x08, 0x0B, 0x0D, 0x14, 0x45, 0x58, 0x4FF),
    "silent": (True,),
    "unbind": (True,),
    "half": (True,),
    "http_status": (302, 404, 451, 500, 503),
    "delay": (0.2,),
    "drip": (0.001,),
    "throttle": (1,),
    "receipt_delay": (400.0,),
}
_TOGETHER: Mapping[str, tuple[Mapping[str, Any], ...]] = {  # what says something only beside another
    "take": (
        {"take": False, "drop": "after"},
        {"take": False, "silent": True},
        {"take": False, "silent": True, "unbind": True},
        {"silent": True, "unbind": True},
        {"take": True, "refuse": 9},
        {"take": True, "refuse": 3},  # smsgate without money: refused, kept, and sent once there is some
    ),
    "err": ({"fate": "undelivered", "err": 255}, {"err": 200}),
    "fates": ({"fates": {"sms": "undelivered", "viber": "undelivered"}},),
}


def catalogue() -> dict[str, dict[str, Any]]:
    """Name → fault: ``drop=after``, ``refuse=3``, ``silent`` …"""
    return {_named(fault): dict(fault) for fault in _all()}


def _all() -> Iterator[Mapping[str, Any]]:
    yield {}
    hints = get_type_hints(Fault)
    for key in Fault.model_fields:
        if key in _WITH_OTHERS:
            continue
        if key in _TOGETHER:
            yield from _TOGETHER[key]
            continue
        words = [word for word in _words(hints[key]) if word != Fault.model_fields[key].default]
        if not words and key not in _SAMPLES:
            raise AssertionError(f"the simulator has a fault {key!r} that no contract test sets")
        yield from ({key: value} for value in (words or _SAMPLES[key]))
    yield {"answer": "html", "http_status": 502}


def _words(hint: Any) -> tuple[Any, ...]:
    """The words of a Literal, of an optional one too."""
    found = [one for one in (hint, *get_args(hint)) if str(get_origin(one)).endswith("Literal")]
    return get_args(found[0]) if found else ()


def _named(fault: Mapping[str, Any]) -> str:
    shown = [key if value is True else f"{key}={_value(key, value)}" for key, value in fault.items()]
    return " ".join(shown) or "healthy"


def _value(key: str, value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}:{word}" for name, word in value.items())
    return f"{value:#x}" if key == "command_status" else str(value).lower()
