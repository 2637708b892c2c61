from __future__ import annotations

from pathlib import Path

import pytest

from tools.transcript import replayed

PAGE = """```yaml
# config.yaml
listen: []
```

```console
$ smsbridge check
what it said last year
$ smsbridge text --help
```
"""


def test_what_a_command_prints_now_stands_below_it(tmp_path: Path) -> None:
    page = replayed(PAGE, tmp_path)
    assert "last year" not in page
    assert "$ smsbridge check\nconfig.yaml:" in page
    assert "$ smsbridge text --help\nUsage: smsbridge text [OPTIONS]" in page
    assert (tmp_path / "config.yaml").read_text() == "# config.yaml\nlisten: []\n"


def test_a_page_that_is_fresh_stays_as_it_is(tmp_path: Path) -> None:
    page = replayed(PAGE, tmp_path)
    assert replayed(page, tmp_path) == page


def test_nothing_but_smsbridge_is_run(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="only smsbridge"):
        replayed("```console\n$ rm -rf x\n```\n", tmp_path)
