"""FORMAT §13's reasons as sentences of the pages, in the reader's language (wording §6.4).

A reason that has no sentence here is shown as it stands: better English than silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bridge.config.spans import parse_duration
from bridge.web.seen import Seen

_Sentence = Callable[[Seen, re.Match[str], str], str]


def _table() -> list[tuple[re.Pattern[str], _Sentence]]:
    return [
        (
            re.compile(r"dropped \((?P<why>.*)\)"),
            lambda v, m, rule: v.say.reason("drop", rule=rule or "unrouted", why=m["why"]),
        ),
        (re.compile(r"refused \((?P<why>.*)\)"), lambda v, m, rule: v.say.reason("refused", why=m["why"])),
        (re.compile(r"no rule takes it"), lambda v, m, rule: v.say.reason("unrouted")),
        (
            re.compile(r"incident open since (?P<at>\S+)(?: and repeated after (?P<then>\S+))?"),
            lambda v, m, rule: v.say("reason.known", at=m["at"], then=m["then"] or ""),
        ),
        (re.compile(r"acknowledged by (?P<who>.*)"), lambda v, m, rule: v.say("reason.acked", who=v.who(m["who"]))),
        (re.compile(r"also seen by (?P<source>.*)"), lambda v, m, rule: v.say("reason.twin", source=m["source"])),
        (re.compile(r"flapping"), lambda v, m, rule: v.say.reason("flapping")),
        (re.compile(r"resolved before it was sent"), lambda v, m, rule: v.say("reason.resolved")),
        (re.compile(r"recovery of something nobody was told"), lambda v, m, rule: v.say.reason("recovery.not")),
        (re.compile(r"recovery tells nobody"), lambda v, m, rule: v.say("reason.recovery")),
        (
            re.compile(r"number not allowed \((?P<why>.*)\)"),
            lambda v, m, rule: v.say("reason.number", why=m["why"]),
        ),
        (re.compile(r"nobody on call in (?P<rota>.*)"), lambda v, m, rule: v.say("reason.hole", rota=m["rota"])),
        (re.compile(r"stopped by (?P<who>.*)"), lambda v, m, rule: v.say.reason("stopped", who=v.who(m["who"]))),
        (re.compile(r"mail only"), lambda v, m, rule: v.say.reason("mailonly", rule=rule)),
        (re.compile(r"to nobody"), lambda v, m, rule: v.say.reason("nobody", rule=rule)),
        (re.compile(r"loop"), lambda v, m, rule: v.say("reason.loop")),
        (re.compile(r"same mail as (?P<id>.*)"), lambda v, m, rule: v.say.reason("same", id=m["id"])),
        (re.compile(r"too late to be sent"), lambda v, m, rule: v.say("reason.late")),
        (
            re.compile(r"silenced by (?P<name>.*) until (?P<at>\S+)"),
            lambda v, m, rule: v.say("reason.silenced", name=m["name"], at=m["at"]),
        ),
        (
            re.compile(r"hidden by (?P<name>.*?) \((?P<key>.*)\)"),
            lambda v, m, rule: v.say("reason.hidden", name=m["name"], key=m["key"]),
        ),
        (
            re.compile(r"(?P<n>[0-9]+) of (?P<m>[0-9]+) in (?P<span>(?:[0-9.]+[a-z]+)+)"),
            lambda v, m, rule: v.say("reason.threshold", n=m["n"], m=m["m"], span=v.span(parse_duration(m["span"]))),
        ),
        (re.compile(r"in the digest at (?P<at>.*)"), lambda v, m, rule: v.say.reason("digest", at=m["at"])),
        (re.compile(r"storm and digest at (?P<at>.*)"), lambda v, m, rule: v.say.reason("storm", at=m["at"])),
        (re.compile(r"collecting until (?P<at>.*)"), lambda v, m, rule: v.say("reason.collecting", at=m["at"])),
        (re.compile(r"quiet hours until (?P<at>.*)"), lambda v, m, rule: v.say("reason.quiet", at=m["at"])),
        (re.compile(r"over budget (?P<name>.*)"), lambda v, m, rule: v.say("reason.budget", name=m["name"])),
        (
            re.compile(r"(?:outcome )?unknown[:,] (?P<why>.*)"),
            lambda v, m, rule: v.say("reason.unproved", why=sentence(v, m["why"])),
        ),
        (
            re.compile(r"asked (?P<n>[0-9]+) times: (?P<said>.*)"),
            lambda v, m, rule: v.say("reason.asked", n=int(m["n"]), said=_heard(v, m["said"])),
        ),
        (
            re.compile(r"it was given (?P<n>[0-9]+) numbers within an hour"),
            lambda v, m, rule: v.say("reason.numbers", n=int(m["n"])),
        ),
        (
            re.compile(r"the rule “(?P<rule>.*)” is gone"),
            lambda v, m, rule: v.say("reason.gone", rule=m["rule"]),
        ),
    ]  # fmt: skip


_TABLE = _table()
_PLAIN = {
    "nobody to tell": "reason.nobodytotell",
    "many answers": "reason.answers",
    "many mails": "reason.mails",
    "many acks": "reason.acks",
    "unknown number": "reason.stranger",
    "no number was given to it": "reason.nonumber",
    "nothing is open for it": "reason.nothingopen",
    "it would be dearer": "reason.dearer",
    "no answer in time": "reason.noanswer",
    "no gateway gives numbers now": "reason.nogateway",
    "its answer came late": "reason.answeredlate",
    "never asked": "reason.neverasked",
}
_SAID = {
    "found": "said.found",
    "not found": "said.notfound",
    "another": "said.another",
    "nothing": "said.nothing",
    "nobody": "said.nobody",
}  # what questions about one message brought


def _heard(v: Seen, counts: str) -> str:
    """``3 × not found, 1 × nothing`` in the reader's words."""
    pairs = (each.partition(" × ") for each in counts.split(", "))
    return ", ".join(f"{n} × {v.say(_SAID[word]) if word in _SAID else word}" for n, _, word in pairs)


def sentence(v: Seen, reason: str, rule: str = "") -> str:
    """*reason* as a sentence; *rule* is the rule it is about."""
    if reason in _PLAIN:
        return v.say(_PLAIN[reason])
    for pattern, say in _TABLE:
        found = pattern.fullmatch(reason)
        if found:
            return say(v, found, rule)
    return reason


def sentences(v: Seen, why: str) -> str:
    """Several reasons, ``a; b``, each as a sentence; in front of them may stand whom they are about: ``dba, ops: a``.

    Words that are no reasons (an operator wrote them) stay as they are.
    """
    found = [_after_whom(v, each) for each in why.split("; ")]
    return " ".join(found) if found != why.split("; ") else why


def _after_whom(v: Seen, reason: str) -> str:
    said, bare = sentence(v, reason), reason.partition(": ")[2]
    return sentence(v, bare) if said == reason and bare and sentence(v, bare) != bare else said
