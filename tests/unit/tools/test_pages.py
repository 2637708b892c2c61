from __future__ import annotations

from pathlib import Path

from tools.pages import blocks, joined, lay, sections

PAGE = """# Page

## One

```yaml
# config.yaml
people:
  a: {phone: "+77010000001"}
```

```text alert.eml
Subject: x

# no heading
```

```console
$ smsbridge check
```

### Two

```jinja
{# rules/templates/short.j2 #}
x
```
"""
BASE = """```yaml
# config.yaml
domains: base.example
people:
  b: {phone: "+77010000002"}
region: KZ
```

```yaml
# rules/10-rules.yaml
rules: [{rule: all, to: b}]
```
"""


def test_a_block_names_its_file_in_its_first_line_or_behind_its_language() -> None:
    assert [block.file for block in blocks(PAGE)] == ["config.yaml", "alert.eml", "", "rules/templates/short.j2"]


def test_a_section_ends_at_the_next_heading_of_any_level_and_none_begins_in_a_block() -> None:
    assert [(one.title, len(one.blocks)) for one in sections(PAGE)] == [("Page", 0), ("One", 3), ("Two", 1)]
    assert [one.line for one in sections(PAGE)] == [1, 3, 21]


def test_a_key_of_the_example_stands_in_the_place_of_the_sites() -> None:
    files = joined(sections(PAGE)[1].named, blocks(BASE))
    assert "a: {phone" in files["config.yaml"]
    assert "b: {phone" not in files["config.yaml"]
    assert "region: KZ" in files["config.yaml"]


def test_rules_of_the_site_stand_only_where_the_example_has_none() -> None:
    own = blocks("```yaml\n# rules/20-own.yaml\nrules: []\n```\n")
    assert "rules/10-rules.yaml" not in joined(own, blocks(BASE))
    assert "rules/10-rules.yaml" in joined(sections(PAGE)[1].named, blocks(BASE))


def test_blocks_of_one_file_follow_one_another() -> None:
    parts = blocks("```yaml\n# config.yaml\na: 1\n```\n\n```yaml\n# config.yaml\nb: 2\n```\n")
    assert joined(parts)["config.yaml"] == "# config.yaml\na: 1\n# config.yaml\nb: 2\n"


def test_files_are_laid_where_they_say(tmp_path: Path) -> None:
    config = lay({"config.yaml": "x: 1\n", "rules/tests/a.yaml": "tests: []\n"}, tmp_path)
    assert config.read_text() == "x: 1\n"
    assert (tmp_path / "rules/tests/a.yaml").exists()
