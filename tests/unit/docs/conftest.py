from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tools import examples
from tools.pages import Section


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Section], examples.Ran]:
    """Runs an example of a page, each only once."""

    @cache
    def once(example: Section) -> examples.Ran:
        folder: Path = tmp_path_factory.mktemp("example")
        return examples.run(example, folder)

    return once
