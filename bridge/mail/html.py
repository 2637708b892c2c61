"""HTML to the text a person would see: Lexbor builds the tree, our own walk reads it.

Script, style and what is hidden is passed over; cells of a table are parted by a blank, rows and blocks by a line
end. Nothing is fetched, nothing is run. Whatever happens the result is not empty when the page holds words: a page
that cannot be walked is stripped of its tags instead.
"""

from __future__ import annotations

import re
from html import unescape

from selectolax.lexbor import LexborHTMLParser, LexborNode

NODES = 50_000
# Lexbor needs 5 s for 50,000 nested divs; real pages nest some dozens deep, the tables of Outlook included.
NESTING = 400
ATTRIBUTES = 1_000  # of one tag: each new one is compared with all before it

_TEXT = 2  # Lexbor's own number of a text node; those of the elements are asked below


def _numbers(names: str) -> frozenset[int]:
    """Lexbor's numbers of elements, which its versions may change."""
    found = set()
    for name in names.split():
        node = LexborHTMLParser("").create_node(name)
        found.add(node.tag_id)
    return frozenset(found)


_SKIP = _numbers("script style head title template iframe object svg math audio video canvas noframes noembed")
_BLOCK = _numbers(
    "address article aside blockquote caption center dd details dialog dir div dl dt fieldset figcaption figure footer "
    "form h1 h2 h3 h4 h5 h6 header hr legend li main menu nav ol optgroup option p pre section summary table tbody "
    "tfoot thead tr ul"
)
_BREAK = _numbers("br")
_CELL = _numbers("td th")
_PRE = _numbers("pre textarea")

_MAY_HIDE = ("hidden", "display", "font-size", "mso-hide")
_HIDING = re.compile(
    r"display:none|visibility:(?:hidden|collapse)|mso-hide:all|font-size:0+(?:\.0+)?(?:px|pt|em|rem|%)?(?:[;!]|$)"
)
_LONG_TAG = re.compile(r"<[a-zA-Z][^<>]{5000,}")
_END_OF_BODY = re.compile(r"</body\s*>", re.I)
_TAG = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)")
# Void elements, and those that the parser closes by itself when the next one begins.
_FLAT = frozenset(
    "area base br col embed hr img input link meta param source track wbr "
    "p li td th tr tbody thead tfoot dt dd option colgroup".split()
)
_WORDLESS = re.compile(r"<[a-zA-Z!/?][^<>]*>?")
_LINE_TAG = re.compile(r"<(?:/?(?:p|div|tr|li|table|h[1-6]|ul|ol)|br)\b[^<>]*>", re.I)


def text_of(html: str) -> str:
    """Visible text of a page or a piece of one, in lines, blanks collapsed. Never raises, never fetches."""
    if _too_deep(html):
        return strip_tags(html)
    lower = html.lower()
    if lower.count("<body") > 1:  # of several documents in one part the parser makes one, words joined
        html = _END_OF_BODY.sub("<br>", html)
    may_hide = any(word in lower for word in _MAY_HIDE)
    text = _walked(html, may_hide)
    if len(text) * 100 > len(html) or (text and may_hide):
        return text
    stripped = strip_tags(html)  # a walk that lost nearly everything (frames, markup without an end) is not believed
    return stripped if len(text) * 10 < len(stripped) else text


def _too_deep(html: str) -> bool:
    if len(html) > 20_000 and any(len(found[0].split()) > ATTRIBUTES for found in _LONG_TAG.finditer(html)):
        return True
    if html.count("<") <= NESTING:
        return False
    depth = 0
    for found in _TAG.finditer(html):
        if found[2].lower() in _FLAT:
            continue
        depth += -1 if found[1] else 1
        if depth > NESTING:
            return True
        depth = max(depth, 0)
    return False


def _walked(html: str, may_hide: bool) -> str:
    body = LexborHTMLParser(html).body
    return _lines("".join(_pieces(body, may_hide))) if body is not None else ""


def _lines(text: str) -> str:
    lines = [" ".join(row.split()) for row in text.split("\n")]
    return "\n".join([row for row in lines if row])


def _pieces(body: LexborNode, may_hide: bool) -> list[str]:
    """Texts and line ends in order. No recursion: the depth of a page costs nothing."""
    out: list[str] = []
    above: list[LexborNode] = []
    pre = 0
    node = body.child
    left = NODES
    while node is not None and left:
        left -= 1
        number = node.tag_id
        if number == _TEXT:
            text = node.text_content or ""
            out.append(text if pre or "\n" not in text else text.replace("\n", " "))
        elif number in _BREAK:
            out.append("\n")
        elif number not in _SKIP and not (may_hide and node.is_element_node and _hidden(node)):
            out.append("\n" if number in _BLOCK else " " if number in _CELL else "")
            below = node.child
            if below is not None:
                pre += number in _PRE
                above.append(node)
                node = below
                continue
        following = node.next
        while following is None and above:
            node = above.pop()
            number = node.tag_id
            pre -= number in _PRE
            out.append("\n" if number in _BLOCK else " " if number in _CELL else "")
            following = node.next
        node = following
    return out


def _hidden(node: LexborNode) -> bool:
    given = node.attributes
    if "hidden" in given:
        return True
    style = given.get("style")
    return bool(style and _HIDING.search("".join(style.lower().split())))


def strip_tags(html: str) -> str:
    """All text of *html* between its tags, script, style and comments left out. Linear in its length."""
    for begin, end in (("<!--", "-->"), ("<script", "</script"), ("<style", "</style"), ("<head>", "</head")):
        html = _without(html, begin, end)
    return _lines(unescape(_WORDLESS.sub(" ", _LINE_TAG.sub("\n", html))))


def _without(html: str, begin: str, end: str) -> str:
    """*html* without what stands from *begin* to *end*; without an end it goes to the end of the page."""
    lower = html.lower() if html.isascii() else re.sub("[A-Z]+", lambda found: found[0].lower(), html)
    out = []
    at = 0
    while (found := lower.find(begin, at)) >= 0:
        out.append(html[at:found])
        at = lower.find(end, found)
        if at < 0:
            return "".join(out)
        at += len(end) if end == "-->" else 0  # of an element the closing tag is left, and goes with the others
    return "".join([*out, html[at:]])
