"""The garbage collector in a program that stays up."""

from __future__ import annotations

import gc


def spare_the_collector() -> None:
    """What was made until now stays until the end: looking through it again and again costs 70 ms each time.

    Call it when everything is open.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
