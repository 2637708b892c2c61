"""Bodies of the PDUs that are used: bind, submit_sm and deliver_sm, query_sm, and their answers (§4).

Reading is lenient where a peer's habit does no harm (an address that is too long, a body that a refusal left out, a
TLV nobody knows) and raises Malformed where a field's border is lost. Writing never makes what §4 forbids.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Self

from bridge.smpp.pdu import Malformed

USER_MESSAGE_REFERENCE, RECEIPTED_MESSAGE_ID = 0x0204, 0x001E
SAR_REFERENCE, SAR_TOTAL, SAR_NUMBER = 0x020C, 0x020E, 0x020F
NETWORK_ERROR, MESSAGE_PAYLOAD, MESSAGE_STATE, INTERFACE_VERSION = 0x0423, 0x0424, 0x0427, 0x0210
UDH = 0x40  # esm_class: the message begins with a user data header
RECEIPT = 0x04  # esm_class, bits 5-2: a delivery receipt
_TYPE_BITS = 0x3C
_INTERMEDIATE = 0x20
VERSION_3_4 = 0x34
MOST_SHORT = 254
_TLV = struct.Struct(">HH")

Tlvs = tuple[tuple[int, bytes], ...]


@dataclass(frozen=True, slots=True)
class Address:
    """Type of number, numbering plan (§5.2.5, §5.2.6) and what they are the type of; Latin-1."""

    text: str = ""
    ton: int = 0
    npi: int = 0

    def encoded(self) -> bytes:
        """Three fields."""
        return bytes((self.ton, self.npi)) + _c_octets(self.text, 20)


@dataclass(frozen=True, slots=True)
class Bind:
    """A login (§4.1). The password is shown by nothing but ``encoded``."""

    system_id: str
    password: str
    system_type: str = ""
    version: int = VERSION_3_4

    def __repr__(self) -> str:
        return f"Bind({self.system_id!r})"

    def encoded(self) -> bytes:
        """ValueError for what no bind can carry. 15 and 8 letters are the limits of §4.1, not every server's."""
        logged = _c_octets(self.system_id, 63) + _c_octets(self.password, 63) + _c_octets(self.system_type, 12)
        return logged + bytes((self.version, 0, 0)) + b"\0"

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Malformed when it is none."""
        fields = _Fields(body)
        system_id, password, system_type = fields.c_octets(), fields.c_octets(), fields.c_octets()
        return cls(system_id, password, system_type, fields.octet())


@dataclass(frozen=True, slots=True)
class ShortMessage:
    """submit_sm and deliver_sm, which are built alike (§4.4, §4.6)."""

    source: Address
    destination: Address
    octets: bytes = b""  # short_message
    coding: int = 0
    esm_class: int = 0
    registered: int = 0
    validity: str = ""  # YYMMDDhhmmsstnnp (§7.1.1), "" = the server's default
    service_type: str = ""
    protocol_id: int = 0
    priority: int = 0
    schedule: str = ""
    replace: int = 0
    tlvs: Tlvs = ()

    @property
    def is_receipt(self) -> bool:
        """Whether it reports on another message, by its class or by what only a report carries."""
        kind = self.esm_class & _TYPE_BITS
        return kind in (RECEIPT, _INTERMEDIATE) or self.tlv(RECEIPTED_MESSAGE_ID) is not None

    @property
    def payload(self) -> bytes:
        """short_message, or message_payload where that is used instead."""
        return self.octets or self.tlv(MESSAGE_PAYLOAD) or b""

    def tlv(self, tag: int) -> bytes | None:
        """The first value of *tag*."""
        return next((value for name, value in self.tlvs if name == tag), None)

    def number(self, tag: int) -> int | None:
        """The first value of *tag* as an integer; None where it is missing or no integer of 1 to 4 octets."""
        value = self.tlv(tag)
        return int.from_bytes(value) if value is not None and 1 <= len(value) <= 4 else None

    def encoded(self) -> bytes:
        """ValueError for what no PDU can carry."""
        if len(self.octets) > MOST_SHORT:
            raise ValueError(f"{len(self.octets)} octets in one short message")
        return b"".join(
            (
                _c_octets(self.service_type, 5),
                self.source.encoded(),
                self.destination.encoded(),
                bytes((self.esm_class, self.protocol_id, self.priority)),
                _c_octets(self.schedule, 16),
                _c_octets(self.validity, 16),
                bytes((self.registered, self.replace, self.coding, 0, len(self.octets))),
                self.octets,
                encode_tlvs(self.tlvs),
            )
        )

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Malformed when a field's border is lost; TLVs behind it are read as far as they are whole."""
        fields = _Fields(body)
        service_type = fields.c_octets()
        source, destination = fields.address(), fields.address()
        esm_class, protocol_id, priority = fields.octet(), fields.octet(), fields.octet()
        schedule, validity = fields.c_octets(), fields.c_octets()
        registered, replace, coding = fields.octet(), fields.octet(), fields.octet()
        fields.octet()  # sm_default_msg_id
        octets = fields.take(fields.octet())
        return cls(
            source, destination, octets, coding, esm_class, registered, validity, service_type, protocol_id, priority,
            schedule, replace, fields.tlvs(),
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Query:
    """query_sm (§4.8)."""

    message_id: str
    source: Address

    def encoded(self) -> bytes:
        """Its octets."""
        return _c_octets(self.message_id, 64) + self.source.encoded()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Malformed when it is none."""
        fields = _Fields(body)
        return cls(fields.c_octets(), fields.address())


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """query_sm_resp: where a message stands; *final* is when it came there, as written."""

    message_id: str
    final: str
    state: int
    error: int = 0

    def encoded(self) -> bytes:
        """Its octets."""
        return _c_octets(self.message_id, 64) + _c_octets(self.final, 16) + bytes((self.state, self.error))

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Malformed when it is none."""
        fields = _Fields(body)
        return cls(fields.c_octets(), fields.c_octets(), fields.octet(), fields.octet())


def message_id(body: bytes) -> str:
    """The id in a submit_sm_resp; "" where it is empty or was left out. Malformed when its end is lost."""
    return _Fields(body).c_octets() if body else ""


def c_octets(text: str) -> bytes:
    """A body of one text and its end, as a submit_sm_resp has it."""
    return _c_octets(text, 64)


def encode_tlvs(tlvs: Tlvs) -> bytes:
    """Optional parameters in the order given (§3.2.4.1)."""
    return b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs)


def _c_octets(text: str, most: int) -> bytes:
    octets = text.encode("latin-1")  # UnicodeEncodeError is a ValueError
    if len(octets) > most or b"\0" in octets:
        raise ValueError(f"a field of {len(octets)} octets where at most {most} fit, or with a zero inside")
    return octets + b"\0"


class _Fields:
    """Reads a body from front to back."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._at = 0

    def octet(self) -> int:
        return self.take(1)[0]

    def take(self, count: int) -> bytes:
        taken = self._body[self._at : self._at + count]
        if len(taken) != count:
            raise Malformed("the body ends too early")
        self._at += count
        return taken

    def c_octets(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise Malformed("a text without its end")
        text = self._body[self._at : end].decode("latin-1")
        self._at = end + 1
        return text

    def address(self) -> Address:
        ton, npi = self.octet(), self.octet()
        return Address(self.c_octets(), ton, npi)

    def tlvs(self) -> Tlvs:
        """Those that are whole: what a receipt says is worth more than the rest of its PDU."""
        found: list[tuple[int, bytes]] = []
        while len(self._body) - self._at >= _TLV.size:
            tag, length = _TLV.unpack_from(self._body, self._at)
            value = self._body[self._at + _TLV.size : self._at + _TLV.size + length]
            if len(value) != length:
                break
            found.append((tag, value))
            self._at += _TLV.size + length
        return tuple(found)
