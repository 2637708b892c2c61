"""FORMAT §13's reasons as sentences of the pages, in the reader's language (wording §6.4).

A reason that has no sentence here is shown as it stands: better English than silence.
"""

from __future__ import annotations

import re
from collections.abc import Callable

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
    ]  # fmt: skip


_TABLE = _table()


def sentence(v: Seen, reason: str, rule: str = "") -> str:
    """*reason* as a sentence; *rule* is the rule it is about."""
    for pattern, say in _TABLE:
        found = pattern.fullmatch(reason)
        if found:
            return say(v, found, rule)
    return reason
