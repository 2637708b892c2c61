"""The tables of every key in ``docs/reference/keys``: names, types and defaults from the models, sentences by hand.

A table stands behind ``<!-- keys: Listener -->``. ``python -m tools.keys`` (and ``make docs``) writes its first
columns anew and keeps what people wrote: the meaning, and the default where the model itself says None (``the host
name``). What is not built yet is said behind the meaning. A new key gets a row without a meaning, and a test fails
until it has one.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any, cast

from pydantic.fields import FieldInfo

from bridge.config import models
from bridge.config.amounts import NumberRange
from bridge.config.models import BUILT_IN, RuleKeys
from bridge.config.models.base import Model
from bridge.config.notyet import NOT_YET, NotYet
from bridge.config.spans import CountIn, Handover, Rate

ROOT = Path(__file__).resolve().parent.parent
FOLDER = Path("docs/reference/keys")
MARK = re.compile(r"^<!-- keys: (\w+) -->\n((?:\|.*\n)*)", re.M)
_UNBUILT = re.compile(r" \*(?:Not built yet|Built so far)[^*]*\*$")
_CELL = re.compile(r"(?<!\\)\|")
_HEAD = "| key | type | default | meaning |\n|---|---|---|---|\n"
_FREE = {"label.": "label.X", "header.": "header.X", "·own": "any other name"}  # keys of which there are many
_WORDS: Mapping[str, str] = {
    "AckWay": "`sms` `call` `mail` `link`", "AddressText": "HOST:PORT, `unix:PATH`, `socket:NAME` or a folder",
    "After": "`seen` `delete` `{move: FOLDER}` `{flag: WORD}`", "AlertTarget": "address, name or `sender`",
    "AlphabetWord": "`keep` `translit` `cheaper`", "Amount": "amount", "At": "moment, time of day or `+`duration",
    "Chains": "list of providers, or map prefix → list", "ChannelWord": "`sms` `call` `flash` `viber`",
    "Charset": "charset", "ClassWord": "`critical` `normal` `bulk`", "Count": "number", "CountInText": "count in time",
    "Currency": "ISO 4217", "Date": "date", "Dates": "dates", "Days": "days", "Domain": "domain",
    "Duration": "duration", "Escalation": "name, or list of [Step](people.md#step)", "EventField": "field",
    "Expectation": "phrase, or list of [Expect](tests.md#expect)", "FileName": "name of a file", "Flag": "true/false",
    "AskMethod": "`get` `post`", "HttpStatus": "HTTP status",
    "HandoverText": "handover", "HeaderName": "header", "Headers": "map header → text", "HostPortText": "HOST:PORT",
    "HoursText": "hours", "Language": "language", "MailAddress": "address",
    "Meaning": "`accepted` `duplicate` `temporary` `refused` `money` `password` `blocked` `unknown`",
    "MailRef": "name of a mail, `.eml` path, or [TestMail](tests.md#testmail)", "MomentText": "moment",
    "MoneyRateText": "money rate", "MoneyText": "money", "Name": "name",
    "ConditionName": "text", "NetworkText": "network", "Numbers": "N-M",
    "OurNumber": "phone or short code", "Parts": "number of segments", "Percent": "percent", "Phone": "phone",
    "Plain": "map or list", "Port": "number", "Positive": "number", "Prefix": "prefix",
    "PrefixOrDefault": "prefix or `default`", "ProviderMood": "`accepts` `refuses` `unknown` `down` `empty`",
    "RateText": "rate", "RuleKeys": "[rule keys](rules.md#rule)", "Region": "ISO country",
    "RelayOrMx": "`smtp://HOST:PORT` `smtps://…` `mx`", "RelayText": "`smtp://HOST:PORT` `smtps://…`",
    "Repeat": "duration, `never` or `always`", "ReplyTarget": "`thread`, address, name or `nobody`",
    "SaidState": "`accepted` `delivered` `read` `undelivered` `expired`",
    "ScopeWord": "`events` `messages` `incidents` `silences` `replies`", "SecretRef": "secret",
    "InboundSum": "fields in braces", "StatusSum": "fields in braces", "WaitCallSum": "fields in braces",
    "Sender": "11 letters or 15 digits", "ServeWord": "`api` `callbacks` `console` `webhooks` `smsc` `metrics`",
    "SetField": "field", "SeverityWord": "`info` `warning` `high` `critical`", "Size": "size", "SomeText": "text",
    "StateWord": "`problem` `recovery` `update` `info`", "StoreUrl": "`sqlite://…` `postgresql://…`", "Text": "text",
    "Texts": "text, or map language → text", "TimeOfDay": "time of day", "Title": "text",
    "TlsWord": "`required` `opportunistic` `off`", "TurnLength": "duration in `h`, `d`, `w`", "Url": "URL",
    "Verb": "verb", "Verbs": "list of verbs, or `all`", "WhoText": "who",
    "WindowRef": "name of a window, or [Window](people.md#window)", "Zone": "zone", "ZoneOrPerson": "zone, or `person`",
    "ProviderType": "`smsc-http` `smsc-smtp` `smsc-smpp` `smsgate-json` `smsgate-get` `smsgate-xml` `plain-http`",
}  # fmt: skip
_ROOTS: Mapping[str, type[Model]] = {"rule": models.Rule, "watch": models.Watch}  # of paths of what is not built
_OURS = {"Numbers": {"RuleKeys", "Rule"}}  # one name, two things: in these models it is the model of that name
Rows = Mapping[str, tuple[str, str]]  # key → default and meaning as they stand in a page


def pages(root: Path = ROOT) -> tuple[Path, ...]:
    """The pages that may hold tables, in name order."""
    return tuple(sorted((root / FOLDER).glob("*.md")))


def rewritten(page: Path) -> str:
    """The text of *page* with its tables as the models say now."""
    homes = home_of_models(page.parent)
    text = page.read_text(encoding="utf-8")
    return MARK.sub(lambda found: f"<!-- keys: {found[1]} -->\n" + table(found[1], rows(found[2]), homes), text)


def home_of_models(folder: Path) -> Mapping[str, str]:
    """Model → name of the page that has its table."""
    found = ((name, page.name) for page in sorted(folder.glob("*.md")) for name in models_of(page.read_text("utf-8")))
    return dict(found)


def models_of(text: str) -> tuple[str, ...]:
    """The models whose tables stand in the *text* of a page."""
    return tuple(found[1] for found in MARK.finditer(text))


def rows(written: str) -> Rows:
    """What people wrote into a table, by key."""
    cells = [[cell.strip() for cell in _CELL.split(line)[1:-1]] for line in written.splitlines()[2:]]
    return {cell[0].strip("*` "): (cell[2], _UNBUILT.sub("", cell[3])) for cell in cells if len(cell) == 4}


def table(name: str, written: Rows, homes: Mapping[str, str]) -> str:
    """The table of the model *name*; *homes* says where other models are told of."""
    return _HEAD + "".join(_row(name, key, field, written, homes) for key, field in fields(name))


def fields(name: str) -> Iterator[tuple[str, FieldInfo]]:
    """The keys of the model *name*, its own first, as they are told of. A RuleTest is told of as a TestStep."""
    kind = model(name)
    own = vars(kind).get("__annotations__", {})
    for attribute, field in sorted(kind.model_fields.items(), key=lambda item: item[0] not in own):
        key = field.alias or attribute
        if key != "·globs" and (attribute in own or not issubclass(kind, models.TestStep)):
            yield _FREE.get(key, key), field


def model(name: str) -> type[Model]:
    """The model called *name*."""
    return cast("type[Model]", getattr(models, name))


def written_keys(value: object) -> Iterator[tuple[str, str]]:
    """(model, key) of everything that was written in the loaded *value*, at any depth; of bases of models too."""
    if isinstance(value, Model):
        for attribute in value.model_fields_set:
            key = type(value).model_fields[attribute].alias or attribute
            yield from ((kind.__name__, _FREE.get(key, key)) for kind in type(value).__mro__)
            yield from written_keys(getattr(value, attribute))
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from written_keys(item)
    elif isinstance(value, tuple):
        for item in value:
            yield from written_keys(item)


def _row(name: str, key: str, field: FieldInfo, written: Rows, homes: Mapping[str, str]) -> str:
    by_hand, meaning = written.get(key, ("", ""))
    kind = _type(name, field, homes)
    default = _default(model(name), field, kind)
    if key in _FREE.values():
        kind = kind.partition(" → ")[2]
    shown = key if key in _FREE.values() and " " in key else f"**`{key}`**" if field.is_required() else f"`{key}`"
    later = _later().get((name, key), "")
    return f"| {shown} | {kind} | {default if default is not None else by_hand or 'none'} | {meaning}{later} |\n"


@cache
def _later() -> Mapping[tuple[str, str], str]:
    """(model, key) → what this version does not do of it, in words."""
    return {_place(one.path): _said_later(one) for one in NOT_YET}


def _place(path: str) -> tuple[str, str]:
    """``people.*.ack_by`` → Person, ack_by."""
    first = path.partition(".")[0]
    kind = _ROOTS.get(first, models.Config)
    place, parts = ("", ""), path.split(".")[first in _ROOTS :]
    for part in parts:
        if part != "*":
            place = (kind.__name__, part)
            kind = _inner(dict(_by_key(kind))[part].annotation) or kind
    return place


def _by_key(kind: type[Model]) -> Iterator[tuple[str, FieldInfo]]:
    return ((field.alias or attribute, field) for attribute, field in kind.model_fields.items())


def _inner(annotation: Any) -> type[Model] | None:
    """The first model that *annotation* is made of."""
    if isinstance(annotation, type) and issubclass(annotation, Model):
        return annotation
    return next((found for one in getattr(annotation, "__args__", ()) if (found := _inner(one))), None)


def _said_later(one: NotYet) -> str:
    words = " ".join(f"`{word}`" for word in one.only or one.unless if word != "false")
    return f" *{'Built so far' if one.unless and words else 'Not built yet'}{words and ': ' + words}.*"


def _type(name: str, field: FieldInfo, homes: Mapping[str, str]) -> str:
    attribute = next(one for one, found in model(name).model_fields.items() if found is field)
    note = next(vars(kind)["__annotations__"][attribute] for kind in model(name).__mro__ if _has(kind, attribute))
    return _Said(name, homes).say(ast.parse(note, mode="eval").body)


def _has(kind: type, attribute: str) -> bool:
    return attribute in vars(kind).get("__annotations__", {})


class _Said:
    """The annotations of one model in words."""

    def __init__(self, model: str, homes: Mapping[str, str]) -> None:
        self._model = model
        self._homes = homes

    def say(self, node: ast.expr) -> str:
        if isinstance(node, ast.BinOp):
            return self.say(node.left)  # X | None: that it may be missing is told by the default
        if isinstance(node, ast.Name):
            return self._name(node.id)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            return self._shape(node.value.id, node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice])
        raise TypeError(f"{self._model}: no words for {ast.unparse(node)}")

    def _shape(self, shape: str, inner: list[ast.expr]) -> str:
        if shape in ("Many", "tuple"):
            said = self.say(inner[0])
            return f"list of {said}" if not said.startswith("`") or "` `" not in said else f"list: {said}"
        if shape == "Mapping":
            return f"map {self.say(inner[0])} → {self.say(inner[1])}"
        if shape == "Literal":
            return " ".join(f"`{ast.literal_eval(one)}`" for one in inner)
        said = self.say(inner[0])
        return f"{said}, or `null`" if shape == "Nullable" else said

    def _name(self, name: str) -> str:
        if name in _WORDS and self._model not in _OURS.get(name, ()):
            return _WORDS[name]
        if name in self._homes:
            return f"[{name}]({self._homes[name]}#{name.lower()})"
        raise KeyError(f"{self._model}: no words for the type {name}")


def _default(kind: type[Model], field: FieldInfo, said: str) -> str | None:
    """The default as an operator writes it; None when the model has none of its own to show."""
    if field.is_required():
        return "–"
    value = field.get_default(call_default_factory=True)
    if issubclass(kind, RuleKeys) and value is None:
        attribute = next(one for one, found in kind.model_fields.items() if found is field)
        value = getattr(BUILT_IN, attribute, None)
    if value is None:
        return None
    if isinstance(value, Model):
        return "see there" if not value.model_fields_set else None
    return _shown(value, said)


def _shown(value: Any, said: str) -> str | None:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple | Mapping):
        return "none" if not value else "`[" + ", ".join(str(_plain(one)) for one in value) + "]`"
    if isinstance(value, int):
        return f"`{_number(value, said)}`"
    return f"`{_plain(value)}`" if value != "" else None


def _plain(value: Any) -> str:
    if isinstance(value, timedelta):
        return _duration(value)
    if isinstance(value, CountIn):
        return f"{value.count} in {_duration(value.window)}"
    if isinstance(value, Rate) and value.window is not None:
        return f"{value.count}/{_duration(value.window)}"
    if isinstance(value, NumberRange):
        return f"{value.first}-{value.last}"
    if isinstance(value, Handover):
        return f"{value.minute // 60:02}:{value.minute % 60:02}"
    return str(value)


def _number(value: int, said: str) -> str:
    if said == "size":
        return f"{value // 10**9}GB" if value % 10**9 == 0 else f"{value // 10**6}MB"
    return f"{value}%" if said == "percent" else str(value)


def _duration(value: timedelta) -> str:
    """``1h``, ``48h``, ``90d``: in the largest unit of which it is a whole number, hours up to two days."""
    seconds = int(value.total_seconds())
    units = (("y", 365 * 86400), ("w", 7 * 86400), ("d", 86400), ("h", 3600), ("m", 60), ("s", 1))
    for unit, length in units:
        if seconds % length == 0 and (unit not in "wd" or seconds > 2 * 86400):
            return f"{seconds // length}{unit}"
    raise AssertionError(seconds)


def main() -> int:
    """Write all tables anew."""
    for page in pages():
        page.write_text(rewritten(page), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
