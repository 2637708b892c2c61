"""PyPI's ``smpp34`` as server: prints what it gets, reports on each message, sends one SMS. Argument: the port."""

from __future__ import annotations

import asyncio
import json
import sys

import smpp34


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def report(esme: smpp34.Esme, to: str, source: str, id: str) -> None:
    text = f"id:{id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:"
    tlvs = [
        smpp34.Tlv(smpp34.TLV_RECEIPTED_MESSAGE_ID, id.encode() + b"\0"),
        smpp34.Tlv(smpp34.TLV_MESSAGE_STATE, b"\x02"),
    ]
    answer = await esme.deliver_sm(to, text.encode(), source_addr=source, esm_class=4, tlvs=tlvs)
    say(what="acknowledged", status=answer.command_status)
    answer = await esme.deliver_sm(to, "12 ок".encode("utf-16-be"), source_addr=source, data_coding=8)
    say(what="acknowledged", status=answer.command_status)


async def main() -> None:
    server = smpp34.Server("127.0.0.1", int(sys.argv[1]), system_id="rust")
    await server.start()
    say(what="listening")
    sessions: dict[str, smpp34.Esme] = {}
    tasks = []
    for id in range(1, sys.maxsize):
        event = await server.next()
        if isinstance(event, smpp34.Esme):
            sessions[event.session_id] = event
            say(what="bound", name=event.system_id, receives=event.can_receive)
        elif isinstance(event, smpp34.SubmitSmEvent):
            event.accept(str(id))
            text = event.short_message.hex()
            say(what="submitted", id=str(id), octets=text, to=event.destination_addr, coding=event.data_coding)
            reported = report(sessions[event.session_id], event.source_addr, event.destination_addr, str(id))
            tasks.append(asyncio.create_task(reported))
        else:
            say(what="unbound")


asyncio.run(main())
