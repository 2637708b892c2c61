"""Framing: a stream of octets as PDUs, each a header of 16 octets and a body nobody has read yet (§3.2).

Only a length that cannot be believed breaks a stream; whatever stands in a body is the reader's of that body to judge,
so that one bad PDU is answered by its number and the link lives on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

HEADER = struct.Struct(">IIII")
MOST_OCTETS = 64 * 1024
"""Of one PDU: a whole short message with message_payload is smaller; what claims more is no SMPP (threats T37)."""

RESPONSE = 0x80000000
GENERIC_NACK = 0x80000000
BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER = 0x00000001, 0x00000002, 0x00000009
QUERY_SM, SUBMIT_SM, DELIVER_SM = 0x00000003, 0x00000004, 0x00000005
UNBIND, ENQUIRE_LINK = 0x00000006, 0x00000015
SUBMIT_MULTI = 0x00000021
BINDS = frozenset({BIND_RECEIVER, BIND_TRANSMITTER, BIND_TRANSCEIVER})

OK = 0x00
INVALID_LENGTH, INVALID_COMMAND, WRONG_STATE, ALREADY_BOUND = 0x02, 0x03, 0x04, 0x05
SYSTEM_ERROR, WRONG_SOURCE, WRONG_DESTINATION = 0x08, 0x0A, 0x0B
BIND_FAILED, WRONG_PASSWORD, WRONG_SYSTEM_ID = 0x0D, 0x0E, 0x0F
QUEUE_FULL, SUBMIT_FAILED, THROTTLED, APPLICATION_BUSY = 0x14, 0x45, 0x58, 0x64
QUERY_FAILED = 0x67


class Broken(ValueError):
    """The stream is not SMPP, or no longer: the link cannot be used any more."""


class Malformed(ValueError):
    """A body that cannot be read. The link is well; only this PDU is lost."""


@dataclass(frozen=True, slots=True)
class Pdu:
    """One PDU. *status* is 0 in requests, *sequence* 1 … 0x7FFFFFFF. A repr shows no body: a bind's is a password."""

    command: int
    sequence: int
    status: int = OK
    body: bytes = b""

    def __repr__(self) -> str:
        return f"Pdu({self.command:#010x}, {self.sequence}, status={self.status:#x}, {len(self.body)} octets)"

    def encoded(self) -> bytes:
        """Its octets."""
        return HEADER.pack(HEADER.size + len(self.body), self.command, self.status, self.sequence) + self.body

    def answer(self, status: int = OK, body: bytes = b"") -> Pdu:
        """The response to this request; to what has none, a generic_nack (§4.3)."""
        if self.command & RESPONSE or self.command not in _ANSWERED:
            return Pdu(GENERIC_NACK, self.sequence, status or INVALID_COMMAND)
        return Pdu(self.command | RESPONSE, self.sequence, status, body)


_ANSWERED = frozenset({*BINDS, QUERY_SM, SUBMIT_SM, DELIVER_SM, UNBIND, ENQUIRE_LINK, SUBMIT_MULTI})


class Frames:
    """Collects octets until PDUs are whole. Holds less than one PDU and what came with it."""

    def __init__(self, most: int = MOST_OCTETS) -> None:
        self._most = most
        self._rest = bytearray()

    def feed(self, octets: bytes) -> list[Pdu]:
        """The PDUs that *octets* complete, in order. Broken when a length cannot be; nothing may be fed after it."""
        self._rest += octets
        whole: list[Pdu] = []
        start = 0
        while len(self._rest) - start >= HEADER.size:
            length, command, status, sequence = HEADER.unpack_from(self._rest, start)
            if not HEADER.size <= length <= self._most:
                raise Broken(f"a PDU of {length} octets")
            if len(self._rest) - start < length:
                break
            body = bytes(self._rest[start + HEADER.size : start + length])
            whole.append(Pdu(command, sequence, status, body))
            start += length
        del self._rest[:start]
        return whole
