"""smsgate by GET: ``/sendmessage.php``, plain text back. For old hosts only: text and password stand in the URL, an URL
holds about 250 Cyrillic letters, and the provider knows no number of ours. Pure. Source: the cascade page, GET section.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlencode

from bridge.errors import PermanentFailure
from bridge.providers import smsgate_codes
from bridge.providers.smsgate_answers import Given, State, unreadable
from bridge.providers.smsgate_wire import Ask, Login

PATH = "/sendmessage.php"
MOST_URL = 2000
_NOT_HERE = frozenset({"validity_period_whatsapp", "name_delivery", "time_send"})  # JSON and XML know them
_MOST_TEXT = 500  # characters: a sentence, and not the page of a proxy


class Get:
    """A ``smsgate_wire.Dialect``."""

    most_asked = 1

    def send(self, fields: Mapping[str, str], client_id: str, login: Login) -> Ask:
        given = {name: value for name, value in fields.items() if name not in _NOT_HERE}
        asked = _ask(given, login)
        if len(asked.target) + len("https://") + 253 > MOST_URL:
            raise PermanentFailure("too long for a URL; smsgate-json takes it", status="5.3.4")
        return asked

    def sent(self, body: bytes) -> Iterator[Given]:
        said = _said(body)
        if said is not None and re.fullmatch(r"[0-9]+(,[0-9]+)*", said):
            yield from (Given(id=id) for id in said.split(","))
        elif said is not None and (said.startswith("error:") or _is_sentence(said)):
            yield Given(error=said.removeprefix("error:").strip() or "an error without a text")
        else:
            raise unreadable(paid=True)

    def states(self, ids: Sequence[str], login: Login) -> Ask:
        return _ask({"id_message": ids[0]}, login)

    def stated(self, body: bytes, ids: Sequence[str]) -> dict[str, State]:
        said = _said(body)
        if said is None or not said:
            raise unreadable(paid=False)
        if smsgate_codes.state(said) is None and not smsgate_codes.says_not_found(said):
            raise smsgate_codes.question_refused(said)
        return {ids[0]: State(said)}


def _ask(fields: Mapping[str, str], login: Login) -> Ask:
    security = {} if login.token else {"login": login.login, "password": login.password}
    return Ask("GET", f"{PATH}?{urlencode({**security, **fields}, encoding='utf-8', errors='replace')}")


def _said(body: bytes) -> str | None:
    """One line of text, None for everything else."""
    try:
        said = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        return None
    return said if said.isprintable() and len(said) <= _MOST_TEXT and "<" not in said else None


def _is_sentence(said: str) -> bool:
    """Whether a text without the prefix is the provider's, and not that of some proxy on the way."""
    return smsgate_codes.is_known_error(said) or re.search("[А-яЁё]", said) is not None
