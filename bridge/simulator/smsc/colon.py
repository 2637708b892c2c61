"""The colon line as the provider reads it (smsc-smtp.md §2, §5): it trusts every colon and comma it finds.

Nothing is repaired here, so that a line whose fields slipped shows itself: as another recipient, another text, a
message that never arrives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from bridge.simulator.smsc.replies import Refused

_FORMATS: dict[str, dict[str, str]] = {
    "0": {},
    "1": {"flash": "1"},
    "2": {"push": "1"},
    "3": {"hlr": "1"},
    "4": {"bin": "1"},
    "5": {"bin": "2"},
    "6": {"ping": "1"},
    "7": {"mms": "1"},
    "8": {"mail": "1"},
    "9": {"call": "1"},
    "10": {"viber": "1"},
    "11": {"soc": "1"},
    "13": {"tg": "1"},
}
"""The numbers of this format, which are not the message types of a receipt; there is no 12."""

_TAGGED = re.compile(r"\[text\](.*?)\[/text\]", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Line:
    """One record; *rest* is the text, or with empty *phones* the list of ``phone:text`` lines."""

    login: str
    psw: str
    id: str
    time: str
    tz: str
    translit: str
    format: str
    sender: str
    test: str
    phones: str
    rest: str

    @property
    def is_virtual(self) -> bool:
        """Whether the test field asks for a sending that reaches nobody (inferred)."""
        return self.test not in ("", "0")

    def params(self, *, lists: bool) -> dict[str, str]:
        """The same wish as send.php knows it. Refused 1 for a format nobody knows, or a list where none is taken."""
        if (self.format or "0") not in _FORMATS or not (self.phones or lists):
            raise Refused(1)
        who = {"login": self.login, "psw": self.psw} if self.login else {"apikey": self.psw}
        what = {"phones": self.phones, "mes": self.rest} if self.phones else {"list": self.rest}
        wish = {"id": self.id, "time": self.time, "tz": self.tz, "translit": self.translit, "sender": self.sender}
        return {**who, **what, **{name: value for name, value in wish.items() if value}, **_FORMATS[self.format or "0"]}


def read(body: str) -> Line:
    """Split at the first six colons. Refused 1 when there are fewer."""
    tagged = _TAGGED.search(body)
    fields = (tagged[1] if tagged else body).split(":", 6)
    if len(fields) < 7:
        raise Refused(1)
    login, psw, id, when, group, phones, rest = fields
    time, _, tz = when.partition(",")
    translit, format, sender, test = [*group.split(","), "", "", ""][:4]
    return Line(login, psw, id, time, tz, translit, format, sender, test, phones, rest)
