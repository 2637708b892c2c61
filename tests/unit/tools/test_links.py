from __future__ import annotations

from pathlib import Path

import pytest

from tools.links import anchors, broken_links, pages


def write(root: Path, **files: str) -> Path:
    for name, text in files.items():
        path = root / (name.replace("__", "/") + ".md")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


@pytest.mark.parametrize(
    "text",
    [
        "see [flow](flow.md)",
        "see [one part](flow.md#the-way-in)",
        "see [here](#top)\n\n# Top",
        "[flow]: flow.md",
        '<img alt="picture" src="flow.md">',
        "[outside](https://example.com/none.md) and [mail](mailto:a@example.com)",
        "```\n[not a link](none.md)\n```",
        "`[not a link](none.md)`",
        "<!-- [not a link](none.md) -->",
    ],
)
def test_a_link_that_leads_somewhere_is_not_reported(tmp_path: Path, text: str) -> None:
    assert broken_links(write(tmp_path, docs__index=text, docs__flow="# The way in\n")) == ()


@pytest.mark.parametrize(
    ("text", "line", "target"),
    [
        ("[a](none.md)", 1, "none.md"),
        ("\n\nsee\n[a](flow.md#nothing)", 4, "flow.md#nothing"),
        ("```\ncode\n```\n[a](#nothing)", 4, "#nothing"),
        ("[a]: none.md", 1, "none.md"),
        ("![picture](pictures/none.png)", 1, "pictures/none.png"),
        ("[out of the house](../../none.md)", 1, "../../none.md"),
    ],
)
def test_a_link_that_leads_nowhere_is_reported_with_its_line(tmp_path: Path, text: str, line: int, target: str) -> None:
    (found,) = broken_links(write(tmp_path, docs__index=text, docs__flow="# The way in\n"))
    assert (found.page, found.line, found.target) == (Path("docs/index.md"), line, target)
    assert str(found) == f"docs/index.md:{line}: {target} leads nowhere"


def test_a_link_out_of_the_checkout_is_broken_even_where_a_file_happens_to_be(tmp_path: Path) -> None:
    (tmp_path / "secret.md").write_text("# x")
    root = write(tmp_path / "house", README="[a](../secret.md)")
    assert [found.target for found in broken_links(root)] == ["../secret.md"]


def test_headings_are_named_as_forges_name_them() -> None:
    text = (
        '# What it `is`, in short\n## Twice\n## Twice\n### [A link](x.md) · Русский\n```\n# code\n```\n<a id="own"></a>'
    )
    assert anchors(text) == {"what-it-is-in-short", "twice", "twice-1", "a-link--русский", "own"}


def test_pages_of_every_folder_people_read_are_looked_at(tmp_path: Path) -> None:
    root = write(tmp_path, README="", docs__how_to__x="", rules__producers__y="", tests__z="")
    names = [str(path.relative_to(root)) for path in pages(root)]
    assert names == ["README.md", "docs/how_to/x.md", "rules/producers/y.md"]
