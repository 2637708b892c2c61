"""Writing small configurations to disk and reading what ``check`` says about them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.config.load import Loaded, load

SMALL = """\
listen: [{door: smtp, address: "127.0.0.1:2525", trust: 127.0.0.1}]
domains: sms.example.kz
operator: {mail: it@example.kz}
outgoing_mail: {relay: "smtp://localhost:25", from: sms@example.kz}
region: KZ
people: {aigul: {phone: "+77010000001", email: aigul@example.kz}}
providers: {smsc: {type: smsc-http, base_url: "https://smsc.kz", login: x, password: {env: P}, currency: KZT}}
budgets: {total: {money: 100 KZT/day}}
"""
RULES = "rules:\n  - rule: everything\n    to: aigul\n"

Write = Callable[..., Loaded]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """``written(config=…, rules=…, **{"rules/tests/x.yaml": …})`` → what ``load`` makes of it."""
    monkeypatch.chdir(tmp_path)

    def write(config: str = SMALL, rules: str | None = RULES, **files: str) -> Loaded:
        everything = {"config.yaml": config, **({"rules/10.yaml": rules} if rules is not None else {}), **files}
        for name, text in everything.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return load(Path("config.yaml"), tests=True)

    return write


@pytest.fixture
def small() -> str:
    return SMALL
