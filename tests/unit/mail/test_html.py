"""HTML to visible text; inscriptis is the oracle for the order of words."""

from __future__ import annotations

import re
import time

import pytest
from inscriptis import get_text

from bridge.mail.html import strip_tags, text_of

TABLE = (
    "<html><head><title>no</title><style>td{color:red}</style></head><body><h2>CPU high on web1</h2><table>"
    + "".join(f"<tr><td>Host{n}</td><td>web{n}.example</td></tr>" for n in range(18))
    + "</table><p>Bye<br>now</p></body></html>"
)


def test_rows_stand_on_lines_and_cells_apart() -> None:
    assert text_of("<table><tr><td>Host<td>web1<tr><td>Load<td>12&nbsp;%</table>") == "Host web1\nLoad 12 %"


def test_blocks_and_breaks_end_lines() -> None:
    assert text_of("a<p>b</p>c<br>d<div>e<ul><li>f<li>g</ul></div>h") == "a\nb\nc\nd\ne\nf\ng\nh"


def test_inline_tags_do_not_part_words() -> None:
    assert text_of("<b>Ho</b>st: <i>web</i>1\n  <span> up</span>") == "Host: web1 up"


@pytest.mark.parametrize(
    "hidden",
    [
        "<script>evil</script>",
        "<style>evil</style>",
        "<template>evil</template>",
        "<!-- evil -->",
        "<div hidden>evil</div>",
        '<div style="display: none">evil</div>',
        "<p style='VISIBILITY:hidden'>evil</p>",
        '<span style="font-size:0px;color:red">evil</span>',
        '<span style="font-size: 0">evil</span>',
        '<p style="mso-hide:all">evil</p>',
        "<iframe>evil</iframe>",
    ],
)
def test_T22_hidden_text_is_not_read(hidden: str) -> None:
    assert text_of(f"<body>seen {hidden} too</body>").split() == ["seen", "too"]


def test_small_print_is_not_hidden() -> None:
    assert text_of('<p style="font-size:0.9em">small</p>') == "small"


@pytest.mark.parametrize(
    "page",
    [
        TABLE,
        "<div><p>one <b>two</b></p><ol><li>three<li>four</ol><blockquote>five</blockquote>six</div>",
        "<table><thead><tr><th>Host<th>Load</thead><tbody><tr><td>a<td>1<tr><td>b<td>2</tbody></table>",
        "<h1>Alarm</h1>text &amp; more &lt;tag&gt; <p>end",
        "<center><font size=2>old <u>device</u></font></center>",
    ],
)
def test_words_come_in_the_order_of_inscriptis(page: str) -> None:
    def words(text: str) -> list[str]:
        return re.findall(r"[\w.<>&]+", text)

    oracle = [word for word in words(get_text(page)) if not re.fullmatch(r"\d\.", word)]
    assert words(text_of(page)) == oracle


def test_T21_four_hundred_nested_divs_keep_their_text() -> None:
    assert text_of("<div>" * 400 + "alarm" + "</div>" * 400) == "alarm"


def test_a_second_document_in_the_same_part_is_read() -> None:
    assert text_of("<html><body>one</body></html><html><body>two</body></html>").split() == ["one", "two"]


def test_frames_are_not_empty() -> None:
    assert "no frames here" in text_of("<frameset><noframes>no frames here</noframes></frameset>")


@pytest.mark.parametrize(
    "bomb",
    [
        "<div>" * 50_000,
        "<b>" * 33_000,
        "".join(f"<font a={n}>" for n in range(8000)),
        "<!--" * 25_000,
        "<a " + " ".join(f"a{n}" for n in range(14_000)) + ">",
        "<" * 100_000,
        "<script>" * 12_000,
        "<table><tr><td>" * 6000,
        "<a " * 33_000,
        "<br>" * 25_000,
        "&amp;" * 20_000,
        "<p style='" + "display:" * 12_000 + "'>",
    ],
)
def test_T21_bombs_are_read_within_half_a_second_and_keep_what_they_say(bomb: str) -> None:
    begin = time.process_time()
    text = text_of(bomb + "> hello")
    assert time.process_time() - begin < 0.5
    assert "hello" in text or "<script" in bomb or "<!--" in bomb  # an unclosed script or comment swallows the rest


def test_tag_strip_leaves_out_script_style_and_comments() -> None:
    page = "<style>a</style>x<!-- b -->y<script>c</script><br>z &lt; 3<script>unclosed"
    assert strip_tags(page) == "xy\nz < 3"


def test_nothing_is_nothing() -> None:
    assert text_of("") == ""
    assert text_of("<html></html>") == ""
