"""smsgate by JSON: ``/sendmessagejson.php`` for sending and for states. The default: its number for a message is ours,
and sent once however often it is asked for. Pure. Source: the provider's cascade page, JSON section.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bridge.providers import smsgate_codes
from bridge.providers.smsgate_answers import Given, State, state_of, text, unreadable, way_ids
from bridge.providers.smsgate_cascade import template
from bridge.providers.smsgate_wire import Ask, Login

PATH = "/sendmessagejson.php"
_TYPE = "application/json; charset=utf-8"


class Json:
    """A ``smsgate_wire.Dialect``."""

    most_asked = 100  # the page names no limit; 100 answers fit into 64 kB

    def send(self, fields: Mapping[str, str], client_id: str, login: Login) -> Ask:
        message: dict[str, Any] = {name: value for name, value in fields.items() if name != "phone"}
        if "templateData" in message:
            message["templateData"] = template(fields)
        message["phones"] = [{"phone": fields["phone"], "client_id_message": client_id}]
        return _ask({**_security(login), "message": [message]})

    def sent(self, body: bytes) -> Iterator[Given]:
        answer = _object(body, paid=True)
        if "error" in answer:
            yield Given(error=text(answer["error"]) or "an error without a text")
            return
        messages = answer.get("message")
        if not isinstance(messages, list):
            raise unreadable(paid=True)
        for one in messages:
            for row in one if isinstance(one, list) else [one]:
                if isinstance(row, dict):
                    yield _given(row)

    def states(self, ids: Sequence[str], login: Login) -> Ask:
        return _ask({**_security(login), "state": [{"id_message": id} for id in ids]})

    def stated(self, body: bytes, ids: Sequence[str]) -> dict[str, State]:
        answer = _object(body, paid=False)
        if "error" in answer:
            raise smsgate_codes.question_refused(text(answer["error"]))
        rows = answer.get("state")
        if not isinstance(rows, list):
            raise unreadable(paid=False)
        found: dict[str, State] = {}
        for row in rows:
            values = {str(name): text(value) for name, value in row.items()} if isinstance(row, dict) else {}
            if (id := values.get("id_message", "")) in ids:
                found[id] = state_of(values, values.get("state", ""))
        return found


def _security(login: Login) -> dict[str, str]:
    return {} if login.token else {"login": login.login, "password": login.password}


def _ask(document: Mapping[str, Any]) -> Ask:
    return Ask("POST", PATH, json.dumps(document, ensure_ascii=False).encode("utf-8", "replace"), _TYPE)


def _given(row: Mapping[str, Any]) -> Given:
    error = text(row.get("error")) or ("an error without a text" if row.get("error") else "")
    return Given(
        id=text(row.get("id_message")),
        client_id=text(row.get("client_id_message")),
        phone=text(row.get("phone")).lstrip("+"),
        error=error,
        parts=text(row.get("count_message")),
        way_ids=way_ids({name: text(value) for name, value in row.items()}),
    )


def _object(body: bytes, *, paid: bool) -> Mapping[str, Any]:
    try:
        answer = json.loads(body.decode("utf-8-sig"), parse_float=str)
    except (ValueError, RecursionError) as error:
        raise unreadable(paid=paid) from error
    if not isinstance(answer, dict):
        raise unreadable(paid=paid)
    return answer
