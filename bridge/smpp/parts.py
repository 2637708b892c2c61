"""Which part of a longer text one short message is, by user data header or by SAR TLVs.

Also the other way: headers for texts of ours. Where a text is cut is for others to say. Sources: 3GPP TS 23.040
§9.2.3.24; SMPP 3.4 §5.3.2.22.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bridge.smpp.bodies import SAR_NUMBER, SAR_REFERENCE, SAR_TOTAL, UDH, ShortMessage

Form = Literal["udh", "udh16", "sar"]
_CONCAT_8, _CONCAT_16 = 0x00, 0x08


@dataclass(frozen=True, slots=True)
class Place:
    """Part *number* (from 1) of *total* of the text called *reference* by its sender."""

    reference: int
    total: int
    number: int


def numbered(message: ShortMessage, place: Place, form: Form = "udh") -> ShortMessage:
    """*message* as that part; a reference that does not fit is shortened from the left."""
    if form == "sar":
        tlvs = (
            (SAR_REFERENCE, (place.reference & 0xFFFF).to_bytes(2)),
            (SAR_TOTAL, bytes((place.total,))),
            (SAR_NUMBER, bytes((place.number,))),
        )
        return replace(message, tlvs=(*message.tlvs, *tlvs))
    width = 2 if form == "udh16" else 1
    kind = _CONCAT_16 if form == "udh16" else _CONCAT_8
    reference = (place.reference & ((1 << 8 * width) - 1)).to_bytes(width)
    element = bytes((kind, width + 2)) + reference + bytes((place.total, place.number))
    header = bytes((len(element),)) + element
    return replace(message, octets=header + message.octets, esm_class=message.esm_class | UDH)


def taken_apart(message: ShortMessage) -> tuple[bytes, Place | None]:
    """The octets of *message*'s text without any header, and which part it is, if it is one.

    A header that cannot be read is text: nothing of an inbound message is thrown away.
    """
    octets = message.payload
    if message.esm_class & UDH and octets and len(octets) > octets[0]:
        header, octets = octets[1 : octets[0] + 1], octets[octets[0] + 1 :]
        return octets, _concatenated(header)
    return octets, _sar(message)


def _concatenated(header: bytes) -> Place | None:
    at = 0
    while at + 2 <= len(header):
        kind, length = header[at], header[at + 1]
        element = header[at + 2 : at + 2 + length]
        width = {_CONCAT_8: 1, _CONCAT_16: 2}.get(kind)
        if width is not None and len(element) == length == width + 2:
            return _place(int.from_bytes(element[:width]), element[width], element[width + 1])
        at += 2 + length
    return None


def _sar(message: ShortMessage) -> Place | None:
    reference, total, number = (message.number(tag) for tag in (SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER))
    if reference is None or total is None or number is None:
        return None
    return _place(reference, total, number)


def _place(reference: int, total: int, number: int) -> Place | None:
    """A place that can be; a text of one part is whole."""
    return Place(reference, total, number) if 2 <= total <= 255 and 1 <= number <= total else None
