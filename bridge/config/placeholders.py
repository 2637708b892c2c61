"""``{phone}`` and the like in what a gateway is sent, pointers and patterns in what it answers. Pure.

Braces of the gateway's own are written twice. Foreign text is a value, never looked at for placeholders again.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

_MARK = re.compile(r"\{\{|\}\}|\{([a-z_]+)\}|[{}]")
_POINTER = re.compile(r"(/([^~/]|~[01])*)+")
_XML_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]*(:[A-Za-z_][A-Za-z0-9._-]*)?")
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # XML 1.0 §2.2
_MOST_ITEMS = 100  # of a list that is written by pointers

OF_A_MESSAGE = frozenset({"phone", "digits", "text", "sender", "number", "id", "parts", "minutes"})
OF_THE_ACCOUNT = frozenset({"login", "password", "token", "apikey"})
SECRET = OF_THE_ACCOUNT - {"login"}
OF_A_QUESTION = frozenset({"phone", "digits", "id", "provider_id"})
OF_A_FETCH = frozenset({"after", "number"})


def names_in(text: str) -> list[str]:
    """The placeholders of *text*, in order. Raises ValueError for a brace that stands alone."""
    found: list[str] = []
    for mark in _MARK.finditer(text):
        if mark[0] in ("{", "}"):
            raise ValueError(f'a {mark[0]} that belongs to no placeholder; write it twice: "{mark[0] * 2}"')
        if mark[1]:
            found.append(mark[1])
    return found


def words_in(text: str) -> set[str]:
    """The same for a text that may have braces that stand alone."""
    return {mark[1] for mark in _MARK.finditer(text) if mark[1]}


def filled(text: str, values: Mapping[str, str]) -> str:
    """*text* with *values* in their places. Raises KeyError for a placeholder that has none."""
    return _MARK.sub(lambda mark: values[mark[1]] if mark[1] else mark[0][0], text)


def is_pointer(place: str) -> bool:
    """Whether *place* is a JSON pointer (RFC 6901), and not a pattern."""
    return place.startswith("/") and _POINTER.fullmatch(place) is not None


def tokens(pointer: str) -> list[str]:
    """``/data/0/a~1b`` → data, 0, a/b; the empty pointer is the whole document."""
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def at(document: Any, pointer: str) -> Any:
    """The value at *pointer*, None where there is none."""
    for token in tokens(pointer):
        if isinstance(document, Mapping):
            document = document.get(token)
        elif isinstance(document, list) and token.isdecimal() and token.isascii() and int(token[:9]) < len(document):
            document = document[int(token[:9])]
        else:
            return None
    return document


def built(fields: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """A JSON object: a name that is a pointer says where inside of it its value stands.

    Raises ValueError where two names want the same place.
    """
    whole: dict[str, Any] = {}
    for name, value in fields:
        _put(whole, tokens(name) if is_pointer(name) else [name], value, name)
    return whole


def _put(inside: Any, path: Sequence[str], value: str, name: str) -> None:
    for number, token in enumerate(path):
        following = path[number + 1 : number + 2]
        new: Any = value if not following else [] if following == ["0"] else {}
        inside = _entered(inside, token, new, name, last=not following)


def _entered(inside: Any, token: str, new: Any, name: str, *, last: bool) -> Any:
    if isinstance(inside, list):
        if not token.isdecimal() or int(token[:4]) > min(len(inside), _MOST_ITEMS):
            raise ValueError(f"{name}: items of a list are numbered from 0 without a gap")
        if int(token) == len(inside):
            inside.append(new)
        elif last:
            raise ValueError(f"{name} stands there twice")
        return inside[int(token)]
    if not isinstance(inside, dict) or (last and token in inside):
        raise ValueError(f"{name} stands where another field is")
    return inside.setdefault(token, new)


def built_xml(fields: Sequence[tuple[str, str]]) -> ElementTree.Element:
    """An XML document: a name is a path to an element, ``/package/message/1/text``, or ends with its ``@attribute``.

    A number chooses among neighbours of one name, from 0. Raises ValueError for what is no path or stands twice.
    """
    outermost: ElementTree.Element | None = None
    for name, value in fields:
        steps, attribute = _xml_steps(name)
        if outermost is None:
            outermost = ElementTree.Element(steps[0][0])
        if steps[0] != (outermost.tag, 0):
            raise ValueError(f"{name}: a document has one outermost element, here {outermost.tag}")
        _put_xml(_element(outermost, steps[1:], name), attribute, _NO_XML.sub("", value), name)
    if outermost is None:
        raise ValueError("an XML document wants at least one field")
    return outermost


def _xml_steps(name: str) -> tuple[list[tuple[str, int]], str]:
    """Elements with their numbers, and the attribute, "" for none."""
    first, *parts = name.split("/")
    attribute = parts.pop()[1:] if parts and parts[-1].startswith("@") else None
    steps: list[tuple[str, int]] = []
    for number, part in enumerate(parts):
        if part.isascii() and part.isdecimal() and number and not parts[number - 1].isdecimal():
            steps[-1] = steps[-1][0], int(part[:4])
        elif _XML_NAME.fullmatch(part):
            steps.append((part, 0))
        else:
            steps.clear()
            break
    if first or not steps or (attribute is not None and not _XML_NAME.fullmatch(attribute)):
        raise ValueError(f"{name}: in XML a field is a path, like /message/text or /message/@id")
    return steps, attribute or ""


def _element(inside: ElementTree.Element, steps: Sequence[tuple[str, int]], name: str) -> ElementTree.Element:
    for tag, number in steps:
        same = [one for one in inside if one.tag == tag]
        if number > min(len(same), _MOST_ITEMS):
            raise ValueError(f"{name}: elements of one name are numbered from 0 without a gap")
        inside = same[number] if number < len(same) else ElementTree.SubElement(inside, tag)
    return inside


def _put_xml(element: ElementTree.Element, attribute: str, value: str, name: str) -> None:
    if attribute in element.attrib or (not attribute and element.text is not None):
        raise ValueError(f"{name} stands there twice")
    if attribute:
        element.set(attribute, value)
    else:
        element.text = value
