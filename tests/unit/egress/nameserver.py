"""A small name server on loopback, over UDP and TCP, that says what a test wants it to say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Literal, cast

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from bridge.egress.exchangers import Resolver

Trouble = Literal["SERVFAIL", "REFUSED", "silent", "truncated"]
Zone = Mapping[str, Sequence[str] | Trouble]
"""``send.test MX`` → records as a zone file writes them, or how the question is not answered."""


@dataclass
class NameServer:
    """What it says (a name without any entry does not exist) and what it was asked."""

    zone: Zone
    port: int = 0
    asked: list[str] = field(default_factory=list)

    def resolver(self) -> Resolver:
        """Asks this server alone, and not for long."""
        resolver = Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], self.port
        resolver.timeout, resolver.lifetime = 0.2, 0.4
        return resolver

    def answer(self, wire: bytes, way: str) -> bytes | None:
        query = dns.message.from_wire(wire)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True).lower(), dns.rdatatype.to_text(question.rdtype)
        self.asked.append(f"{way} {name} {kind}")
        reply = dns.message.make_response(query)
        said = self.zone.get(f"{name} {kind}", ())
        if said == "silent":
            return None
        if said in ("SERVFAIL", "REFUSED"):
            reply.set_rcode(dns.rcode.from_text(said))
        elif said == "truncated":
            return self._truncated(reply, name, kind, way)
        elif not any(key.split(" ")[0] == name for key in self.zone):
            reply.set_rcode(dns.rcode.NXDOMAIN)
        elif said:
            reply.answer.append(dns.rrset.from_text(question.name, 60, "IN", kind, *said))
        return reply.to_wire()

    def _truncated(self, reply: dns.message.Message, name: str, kind: str, way: str) -> bytes:
        if way == "udp":
            reply.flags |= dns.flags.TC
        else:
            reply.answer.append(dns.rrset.from_text(f"{name}.", 60, "IN", kind, *self.zone[f"{name} {kind} over tcp"]))
        return reply.to_wire()


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: NameServer) -> None:
        self._server = server

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if (reply := self._server.answer(data, "udp")) is not None:
            self._transport.sendto(reply, addr)


@asynccontextmanager
async def name_server(zone: Zone) -> AsyncIterator[NameServer]:
    """It runs until the block ends."""
    server, loop = NameServer(zone), asyncio.get_running_loop()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        query = await reader.readexactly(int.from_bytes(await reader.readexactly(2), "big"))
        if (reply := server.answer(query, "tcp")) is not None:
            writer.write(len(reply).to_bytes(2, "big") + reply)
        await writer.drain()
        writer.close()

    streams = await asyncio.start_server(serve, "127.0.0.1", 0)
    server.port = streams.sockets[0].getsockname()[1]
    datagrams, _ = await loop.create_datagram_endpoint(
        lambda: _Datagrams(server), local_addr=("127.0.0.1", server.port)
    )
    try:
        yield server
    finally:
        datagrams.close()
        streams.close()
