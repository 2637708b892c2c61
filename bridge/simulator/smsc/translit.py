"""What ``translit=1`` makes of a Russian text: the provider's doing, so a table of our own, not ``bridge.sms``."""

from __future__ import annotations

_LOWER = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e yo zh z i j k l m n o p r s t u f h c ch sh shh '' y ' e yu ya".split(" "),
        strict=True,
    )
)
_TABLE = str.maketrans(_LOWER | {letter.upper(): latin.capitalize() for letter, latin in _LOWER.items()})


def latin(text: str) -> str:
    """*text* with its Russian letters written in Latin ones (the exact table is not documented)."""
    return text.translate(_TABLE)
