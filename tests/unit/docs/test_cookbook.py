from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tools.examples import Ran, examples
from tools.pages import ROOT, SITE, Section

FOLDER = ROOT / "docs/cookbook"
PAGES = [page for page in sorted(FOLDER.glob("*.md")) if page.name != "index.md"]
RECIPES = [(page.name, recipe) for page in PAGES for recipe in examples(page)]
NAMES = [f"{page}: {recipe.title}" for page, recipe in RECIPES]
Run = Callable[[Section], Ran]


@pytest.mark.parametrize(("page", "recipe"), RECIPES, ids=NAMES)
def test_a_recipe_loads_without_complaint_and_its_tests_hold(page: str, recipe: Section, run: Run) -> None:
    ran = run(recipe)
    assert ran.complaints == ()
    assert ran.broken == ()
    assert ran.unbuilt == ()
    assert ran.outcomes, "a recipe without a test promises nothing"


@pytest.mark.parametrize(("page", "recipe"), RECIPES, ids=NAMES)
def test_every_rule_of_a_recipe_takes_something_in_its_tests(page: str, recipe: Section, run: Run) -> None:
    ran = run(recipe)
    named = {rule for rule in ran.loaded.require().rules.by_name if rule}
    assert named <= frozenset().union(*(outcome.rules for outcome in ran.outcomes))


def test_there_are_twenty_situations_and_they_are_numbered() -> None:
    numbers = [int(found[1]) for page in ORDER for found in re.finditer(r"^## (\d+)\. ", page, re.M)]
    assert numbers == [*range(1, len(numbers) + 1)]
    assert len(numbers) >= 20


ORDER = [(FOLDER / name).read_text("utf-8") for name in ("machines.md", "hours.md", "people.md", "money.md")]


def test_every_recipe_tells_its_situation_and_what_goes_wrong() -> None:
    for text in ORDER:
        for recipe in re.split(r"^## ", text, flags=re.M)[1:]:
            title, _, body = recipe.partition("\n")
            assert re.match(r"\n[A-Z]", body), title
            assert "**Pitfall.**" in body, title


def test_the_site_itself_loads_without_complaint(run: Run) -> None:
    (site,) = examples(SITE)
    assert run(site).complaints == ()
