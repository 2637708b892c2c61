from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.proof.office import CONFIG, RULES, Office, build


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return build(tmp_path, CONFIG, RULES)
