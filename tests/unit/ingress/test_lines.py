"""Cutting bytes: whatever the packets look like, lines and mails come out the same."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.ingress.lines import BadLine, Content, Inbox, has_bare_ends, longest_line_over, repaired


def _inbox(data: bytes, limit: int = 100) -> Inbox:
    inbox = Inbox(limit)
    inbox.bytes += data
    return inbox


def test_lines_come_out_one_by_one_without_their_ends() -> None:
    inbox = _inbox(b"NOOP\r\nQUIT\r\nRS")
    assert [inbox.take(), inbox.take(), inbox.take()] == [b"NOOP", b"QUIT", None]
    inbox.bytes += b"ET\r\n"
    assert inbox.take() == b"RSET"


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\rOP\r\n", b"NOOP\r\r\n", b"\rNOOP\r\n", b"\n"])
def test_T01_lines_with_bare_ends_are_taken_out_and_refused(line: bytes) -> None:
    inbox = _inbox(line + b"QUIT\r\n")
    with pytest.raises(BadLine) as caught:
        inbox.take()
    assert caught.value.reply == "500 5.5.2 Lines must end in CR LF"
    assert inbox.take() == b"QUIT"


def test_a_line_that_is_too_long_is_forgotten_while_it_comes_and_refused_at_its_end() -> None:
    inbox = _inbox(b"x" * 101)
    assert inbox.take() is None
    assert not inbox.bytes
    inbox.bytes += b"x" * 50 + b"\r\nQUIT\r\n"
    with pytest.raises(BadLine, match="longer than 100"):
        inbox.take()
    assert inbox.take() == b"QUIT"


def _read(stream: bytes, cuts: list[int]) -> tuple[bytes, bytes, int] | None:
    """(content, what follows, size) of a DATA that comes in these pieces; None when it has no end."""
    content, rest = Content(), bytearray()
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    done = content.feed(rest)
    for start, end in pairwise(places):
        rest += stream[start:end]
        if not done:
            done = content.feed(rest)
    return (content.take(), bytes(rest), content.size) if done else None


PIECES = st.lists(st.sampled_from([b"a", b"\r\n", b"\r", b"\n", b".", b"..", b"\x00", b"b.c"]), max_size=30)


@given(PIECES, st.lists(st.integers(0, 100), max_size=8))
def test_T01_packets_do_not_change_what_a_mail_is(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces) + b"\r\n.\r\nQUIT\r\n"
    assert _read(stream, cuts) == _read(stream, [])


@given(st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=8))
def test_T01_what_a_strict_sender_stuffs_comes_out_as_it_was(octets: bytes, cuts: list[int]) -> None:
    content = repaired(octets)
    if content and not content.endswith(b"\r\n"):
        content += b"\r\n"
    lines = content.split(b"\r\n")
    stuffed = b"\r\n".join(b"." + line if line.startswith(b".") else line for line in lines)
    stream = stuffed + b".\r\nNOOP\r\n"
    assert _read(stream, cuts) == (content, b"NOOP\r\n", len(stuffed))


def test_T08_dropped_content_holds_next_to_nothing_and_still_finds_its_end() -> None:
    content, data = Content(), bytearray(b"x" * 1000 + b"\r\n")
    assert not content.feed(data)
    content.drop()
    for piece in (b"y" * 500, b"\r", b"\n.", b"\r"):
        data += piece
        assert not content.feed(data)
        assert content.held < 10
    data += b"\nQUIT\r\n"
    assert content.feed(data)
    assert bytes(data) == b"QUIT\r\n"
    assert content.size == 1000 + 2 + 500 + 2


@pytest.mark.parametrize(
    "content,bare",
    [(b"", False), (b"a\r\nb\r\n", False), (b"a\n", True), (b"a\r", True), (b"\n\r", True), (b"a\r\r\n", True)],
)
def test_T01_bare_ends_are_seen_and_repaired(content: bytes, bare: bool) -> None:
    assert has_bare_ends(content) is bare
    assert not has_bare_ends(repaired(content))


@given(st.lists(st.integers(0, 40), max_size=8), st.integers(1, 30))
def test_longest_line_is_found_without_splitting(lengths: list[int], limit: int) -> None:
    content = b"\r\n".join(b"x" * length for length in lengths)
    assert longest_line_over(content, limit) is any(length > limit for length in lengths)
