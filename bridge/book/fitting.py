"""Texts that can never fit: their fixed words alone need more parts than the rule allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from jinja2 import Environment, nodes

from bridge.sms.fit import Alphabet, Piece, fit

_WITHOUT_END = 255  # parts: so many that nothing is cut
_SURE = 66  # UTF-16 units fit into one part in any case; a character takes at most two
_READER = Environment(autoescape=False)  # noqa: S701 - reads the tree of a text, renders nothing


def least_parts(source: str, alphabets: Iterable[Alphabet], language: str) -> tuple[int, str]:
    """The parts that the fixed words of *source* need in the cheapest of *alphabets*, and the encoding then.

    Fixed is what stands outside every condition and loop. Values can only make a text longer, and dearer letters
    only dearer, so this is never too many.
    """
    fixed = "".join(_fixed(_READER.parse(source)))
    fitted = [fit([Piece(fixed)], _WITHOUT_END, alphabet, language) for alphabet in dict.fromkeys(alphabets)]
    least = min(fitted, key=lambda one: one.segments)
    return least.segments, least.encoding


def _fixed(tree: nodes.Template) -> Iterator[str]:
    """The words that are always there: the text as it is when every value is empty and no condition holds."""
    for statement in tree.body:
        if isinstance(statement, nodes.Output):
            yield from (each.data for each in statement.nodes if isinstance(each, nodes.TemplateData))


def too_long(
    texts: Mapping[str, str], parts: int, alphabets: Iterable[Alphabet], own: str
) -> Iterator[tuple[str, str]]:
    """(language, sentence) of each of *texts* whose fixed words need more than *parts*; *own*: the language of a
    text that names none."""
    known = tuple(alphabets)
    for language, source in texts.items():
        if len(source) * 2 <= _SURE * parts:
            continue
        least, encoding = least_parts(source, known, language or own)
        if least > parts:
            allowed = "parts: 1 allows one" if parts == 1 else f"parts: {parts} allows {parts}"
            why = "" if encoding == "GSM-7" else f" in {encoding}"
            yield language, f"its fixed words alone take {least} parts{why}, and {allowed}; shorten it, or allow more"
