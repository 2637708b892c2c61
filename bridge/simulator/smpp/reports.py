"""deliver_sm: receipts part by part, results of HLR queries, inbound SMS in every form a network has for them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from itertools import count
from urllib.parse import quote_plus

from bridge.simulator.records import Answer, Message
from bridge.simulator.settings import SmppSwitches
from bridge.simulator.smsc import numbers
from bridge.simulator.smsc.callbacks import MOSCOW
from bridge.smpp import texts
from bridge.smpp.bodies import (
    MESSAGE_PAYLOAD,
    MESSAGE_STATE,
    NETWORK_ERROR,
    RECEIPT,
    RECEIPTED_MESSAGE_ID,
    Address,
    ShortMessage,
    Tlvs,
)
from bridge.smpp.parts import Form, Place, numbered
from bridge.sms.segment import segment

_WORDS = {
    0: ("ACCEPTD", 6), 1: ("DELIVRD", 2), 2: ("DELIVRD", 2), 3: ("EXPIRED", 3), 4: ("DELIVRD", 2), 20: ("UNDELIV", 5),
    22: ("UNDELIV", 5), 23: ("REJECTD", 8), 24: ("REJECTD", 8), 25: ("UNDELIV", 5),
}  # fmt: skip
"""Status → the word of a receipt's text, message_state."""

_references = count(1)


def receipts(message: Message, switches: SmppSwitches, hlr: Mapping[str, str]) -> list[ShortMessage]:
    """One for each part whose receipt was asked for; the state 0 is told only where the switch says so."""
    if message.status not in _WORDS or (message.status == 0 and not switches.intermediate):
        return []
    ids = message.request["ids"]
    return [_receipt(message, str(id), switches, hlr) for id in ids] if isinstance(ids, list) else []


def inbound(answer: Answer, switches: SmppSwitches) -> list[ShortMessage]:
    """An SMS from a phone, in as many parts as it has."""
    found = segment(answer.text)
    coding = texts.GSM if found.encoding == "GSM-7" else texts.UCS_2
    if switches.inbound == "latin-1" and answer.text.isascii():
        coding = texts.LATIN_1
    source, to = Address(answer.phone, 1, 1), Address(answer.to, 1, 1)
    if switches.inbound == "payload":
        tlvs = ((MESSAGE_PAYLOAD, texts.encode(answer.text, coding)),)
        return [ShortMessage(source, to, coding=coding, tlvs=tlvs)]
    whole = [ShortMessage(source, to, texts.encode(one, coding), coding) for one in found.segments]
    if len(whole) == 1:
        return whole
    form: Form = {"udh16": "udh16", "sar": "sar"}.get(switches.inbound, "udh")  # type: ignore[assignment]
    reference = next(_references)
    places = [Place(reference, len(whole), number) for number in range(1, len(whole) + 1)]
    return [numbered(one, place, form) for one, place in zip(whole, places, strict=True)]


def stamp(moment: datetime) -> str:
    """``YYMMDDhhmmss`` in Moscow time (inferred)."""
    return moment.astimezone(MOSCOW).strftime("%y%m%d%H%M%S")


def _receipt(message: Message, id: str, switches: SmppSwitches, hlr: Mapping[str, str]) -> ShortMessage:
    word, state = _WORDS[message.status]
    text = _hlr_text(id, word, message, hlr) if message.channel == "hlr" else _text(id, word, message)
    return ShortMessage(
        Address(message.phone, 1, 1),
        Address(message.sender, 5 if not message.sender.isdigit() else 1, 1),
        texts.encode(text, texts.LATIN_1) if switches.receipts != "tlvs" else b"",
        esm_class=RECEIPT,
        tlvs=_tlvs(id, state, message) if switches.receipts != "text" else (),
    )


def _text(id: str, word: str, message: Message) -> str:
    """SMPP 3.4 appendix B; twenty letters of the text, as far as Latin-1 has them."""
    arrived = "001" if word == "DELIVRD" else "000"
    submitted, done = (stamp(moment)[:10] for moment in (message.received_at, message.changed_at))
    shown = message.text[:20].encode("latin-1", "replace").decode("latin-1")
    dates = f"submit date:{submitted} done date:{done}"
    return f"id:{id} sub:001 dlvrd:{arrived} {dates} stat:{word} err:{message.err:03} text:{shown}"


def _hlr_text(id: str, word: str, message: Message, hlr: Mapping[str, str]) -> str:
    fields = {"id": id, "stat": word, "err": f"{message.err:03}"} | {name: quote_plus(hlr[name]) for name in hlr}
    return " ".join(f"{name}:{value}" for name, value in fields.items())


def _tlvs(id: str, state: int, message: Message) -> Tlvs:
    return (
        (RECEIPTED_MESSAGE_ID, id.encode("ascii") + b"\0"),
        (MESSAGE_STATE, bytes((state,))),
        (NETWORK_ERROR, b"\x03" + message.err.to_bytes(2)),
        (0x2000, f"{message.cost / max(1, len(message.parts)):.4f}".encode("ascii")[:6]),
        (0x2001, message.kind.to_bytes(2)),
        (0x2002, len(message.parts).to_bytes(2)),
        (0x2003, numbers.network(message.phone).mccmnc.encode("ascii")[:5] + b"\0"),
    )
