"""Globs against an oracle: Python's regexes, written out."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from bridge.routing.globs import compile_glob, exactly

LETTERS = "aAbß*?.[\n]й"


def oracle(glob: str, text: str, *, anywhere: bool) -> bool:
    parts = {"*": ".*", "?": "."}
    pattern = "".join(parts.get(letter, re.escape(letter)) for letter in glob.casefold())
    search = re.search if anywhere else re.fullmatch
    return search(pattern, text.casefold(), re.DOTALL) is not None


@given(st.text(LETTERS, max_size=8), st.text("aAbßBSs.[\n]йЙ", max_size=10), st.booleans())
def test_a_glob_means_what_it_says(glob: str, text: str, anywhere: bool) -> None:
    compiled = compile_glob(glob, anywhere=anywhere)
    folded = text.casefold()
    assert compiled.fits(folded) is oracle(glob, text, anywhere=anywhere)
    if compiled.fits(folded):
        assert compiled.exact is None or compiled.exact == folded
        assert folded.startswith(compiled.prefix)
        assert folded.endswith(compiled.suffix)
        assert compiled.literal in folded


def test_exact_text_has_no_stars() -> None:
    assert exactly("a*").fits("a*")
    assert not exactly("a*").fits("ab")
