"""The small numbers people answer with: one length, the lowest free one, the same for colleagues if it can be.

A conversation (phone, code) stands for an incident until it expires, then the code rests in quarantine, so
that a late answer never reaches another alert (FORMAT §3 ``commands``).
"""

from __future__ import annotations

from bridge.dispatch.draft import Draft
from bridge.model import Conversation, Incident


def code_for(draft: Draft, incident: Incident, phone: str, colleagues: tuple[str, ...] = ()) -> str:
    """The code under which *phone* knows *incident*; a new one is opened if it has none yet.

    "" when every code of the range is in use on this phone: then the answer needs no code or is asked back.
    """
    mine = _known(draft, incident, phone)
    if mine:
        _open(draft, incident, phone, mine)
        return mine
    code = incident.code if incident.code and _free(draft, phone, incident.code) else ""
    code = code or _lowest(draft, (phone, *colleagues)) or _lowest(draft, (phone,))
    if code:
        _open(draft, incident, phone, code)
    return code


def _known(draft: Draft, incident: Incident, phone: str) -> str:
    live = (c for c in draft.codes(phone).values() if c.incident_id == incident.id and c.expires_at > draft.now)
    return next((c.code for c in live), "")


def _open(draft: Draft, incident: Incident, phone: str, code: str) -> None:
    commands = draft.book.config.commands
    expires = draft.now + commands.expire
    draft.converse(Conversation(phone, code, incident.id, expires, expires + commands.quarantine))


def _free(draft: Draft, phone: str, code: str) -> bool:
    return code not in _taken(draft, phone)


def _taken(draft: Draft, phone: str) -> set[str]:
    """The codes that stand for something on this phone, or rest."""
    return {code for code, conversation in draft.codes(phone).items() if conversation.free_at > draft.now}


def _lowest(draft: Draft, phones: tuple[str, ...]) -> str:
    first, last = draft.book.code_range
    taken = set().union(*(_taken(draft, phone) for phone in phones))
    return next((code for code in map(str, range(first, last + 1)) if code not in taken), "")
