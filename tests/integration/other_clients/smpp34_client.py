"""PyPI's ``smpp34`` (an engine in Rust): sends what it reads (one JSON a line), prints what it gets.

Argument: JSON with port, login, password.
"""

from __future__ import annotations

import asyncio
import json
import sys

import smpp34

wanted = json.loads(sys.argv[1])


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


async def listen(smsc: smpp34.Smsc) -> None:
    while True:
        event = await smsc.next()
        if isinstance(event, smpp34.Disconnected):
            say(what="disconnected")
            return
        tlvs = {tlv.tag: tlv for tlv in event.tlvs}
        id = tlvs.get(smpp34.TLV_RECEIPTED_MESSAGE_ID)
        state = tlvs.get(smpp34.TLV_MESSAGE_STATE)
        say(
            what="delivered",
            id=id and id.as_string(),
            state=state and state.as_int(),
            octets=event.short_message.hex(),
            coding=event.data_coding,
            esm_class=event.esm_class,
        )


async def main() -> None:
    client = smpp34.Client("127.0.0.1", wanted["port"], wanted["login"], wanted["password"], bind_type="TRX")
    try:
        smsc = await client.connect()
    except (smpp34.SmppError, ConnectionError, OSError, RuntimeError) as error:
        say(what="refused", error=str(error))
        return
    say(what="bound", name=smsc.system_id)
    listening = asyncio.create_task(listen(smsc))
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        fields = json.loads(line)
        octets = bytes.fromhex(fields.pop("octets"))
        fields["tlvs"] = [smpp34.Tlv(tag, bytes.fromhex(value)) for tag, value in fields.pop("tlvs", [])]
        answer = await smsc.submit_sm("77010000001", octets, source_addr="ACME", source_addr_ton=5, **fields)
        say(what="answered", id=answer.message_id, status=answer.command_status)
    await smsc.unbind()
    listening.cancel()
    await client.stop()
    say(what="done")


asyncio.run(main())
