"""``smsbridge text``: the operator's calculator. What a text costs, why, and what the bridge would make of it.

Reads standard input, a text a line, and answers each line before it reads the next. Touches no configuration.
"""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

import click

from bridge.model import Encoding
from bridge.sms import gsm7
from bridge.sms.fit import Alphabet, Piece, fit
from bridge.sms.segment import left, length, segment
from bridge.sms.translit import translit, typography

_ANY_NUMBER = sys.maxsize  # of parts, when none is asked for
_NAMED = 5  # dear characters that the table names before it says "and 7 more"
_UNITS: dict[Encoding, str] = {"GSM-7": "septets", "UCS-2": "units"}


class _BadLine(Exception):
    """A line that holds no text; the message says why."""


@dataclass(frozen=True, slots=True)
class _Answer:
    text: str
    encoding: Encoding
    segments: int
    used: int  # septets or UTF-16 units, of the whole text
    left: int  # of the last segment
    forced_by: tuple[str, ...]  # characters that force UCS-2
    shortened: bool


@click.command()
@click.option("--alphabet", type=click.Choice(["keep", "translit", "cheaper"]), help="As in a rule.")
@click.option("--parts", type=click.IntRange(min=1), metavar="N", help="Shorten to at most N segments, as a rule does.")
@click.option("--json", "as_json", is_flag=True, help='JSON lines: {"text": ...} in, one object out for each.')
def command(alphabet: Alphabet | None, parts: int | None, as_json: bool) -> None:
    """Count what texts on standard input (one a line) cost as SMS.

    Without --alphabet and --parts a text is counted as it stands. With one of them it is first made into
    what the bridge would send: cleaned, with the letters of the alphabet (keep when only --parts is given),
    and shortened. Exit code 1 if a line could not be read.
    """
    bad = False
    for number, line in _lines():
        try:
            answer = _count(_text_of(line, as_json), alphabet, parts)
        except _BadLine as error:
            click.echo(f"smsbridge text: line {number}: {error}", err=True)
            bad = True
            continue
        click.echo(_as_json(answer) if as_json else _as_table(answer))
        sys.stdout.flush()
    if bad:
        raise SystemExit(1)


def _lines() -> Iterator[tuple[int, bytes]]:
    for number, line in enumerate(sys.stdin.buffer, start=1):
        yield number, line.removesuffix(b"\n").removesuffix(b"\r")


def _text_of(line: bytes, as_json: bool) -> str:
    try:
        text = line.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _BadLine(f"not UTF-8 at byte {error.start + 1}. Convert it first, for example with iconv.") from error
    return _text_in_json(text) if as_json else text


def _text_in_json(line: str) -> str:
    try:
        given = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise _BadLine(f'not JSON ({error}). Write {{"text": "..."}}.') from error
    text = given.get("text") if isinstance(given, dict) else None
    if not isinstance(text, str):
        raise _BadLine('no text in it. Write {"text": "..."}.')
    # JSON can spell half a surrogate pair; no text that can be sent holds one.
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _count(text: str, alphabet: Alphabet | None, parts: int | None) -> _Answer:
    shortened = False
    if alphabet or parts:
        fitted = fit([Piece(text)], parts or _ANY_NUMBER, alphabet or "keep")
        text, shortened = fitted.text, fitted.shortened
    found = segment(text)
    used = sum(length(part, found.encoding) for part in found.segments)
    return _Answer(text, found.encoding, len(found.segments), used, left(found), gsm7.lacking(text), shortened)


def _as_json(answer: _Answer) -> str:
    return json.dumps(
        {
            "encoding": answer.encoding,
            "segments": answer.segments,
            "left": answer.left,
            "text": answer.text,
            _UNITS[answer.encoding]: answer.used,
            "forced_by": answer.forced_by,
            "shortened": answer.shortened,
        },
        ensure_ascii=False,
    )


def _as_table(answer: _Answer) -> str:
    charged = f"{answer.segments} segment{'s' if answer.segments > 1 else ''}"
    row = f"{answer.encoding}  {charged:<11}  {answer.used:>4} {_UNITS[answer.encoding]:<7}  {answer.left:>3} left  "
    note = f"\n{'':7}{_why_dear(answer)}" if answer.forced_by else ""
    return f"{row}{answer.text}{' (shortened)' if answer.shortened else ''}{note}"


def _why_dear(answer: _Answer) -> str:
    """Which characters make the text UCS-2, and what it would cost without them."""
    names = ", ".join(f"“{_shown(character)}”" for character in answer.forced_by[:_NAMED])
    more = len(answer.forced_by) - _NAMED
    names += f" and {more} more" if more > 0 else ""
    alone = len(answer.forced_by) == 1
    alphabet, cheap = _cheaper(answer.text)
    if cheap >= answer.segments:
        return f"{names} {'makes' if alone else 'make'} it UCS-2; without, it costs the same"
    price = _price(answer.segments, cheap, alone)
    return f"{names} {price}: {answer.segments} segments, {cheap} with --alphabet {alphabet}"


def _cheaper(text: str) -> tuple[Alphabet, int]:
    """The alphabet that changes least of what makes *text* dear, and the segments it leads to."""
    folded = typography(text)
    if gsm7.can_encode(folded):
        return "keep", len(segment(folded).segments)
    return "translit", len(segment(translit(text)).segments)


def _price(dear: int, cheap: int, alone: bool) -> str:
    if dear == 2 * cheap:
        return "doubles the price" if alone else "double the price"
    return "makes it dearer" if alone else "make it dearer"


def _shown(character: str) -> str:
    """The character, or its name where it would not be seen or would join the quotes around it."""
    if character.isprintable() and not unicodedata.category(character).startswith("M"):
        return character
    return unicodedata.name(character, f"U+{ord(character):04X}")
