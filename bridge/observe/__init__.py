"""What the bridge says about itself: log lines without secrets, and figures for a monitor.

``set_up`` once at the start, ``register_secret`` for every secret that is resolved, one ``Metrics`` for a process.
"""

from __future__ import annotations

from bridge.observe.logs import LogFormat, Numbers, set_up
from bridge.observe.metrics import DoorMeter, Metrics
from bridge.observe.redact import mask_numbers, redact, register_secret

__all__ = [
    "DoorMeter",
    "LogFormat",
    "Metrics",
    "Numbers",
    "mask_numbers",
    "redact",
    "register_secret",
    "set_up",
]
