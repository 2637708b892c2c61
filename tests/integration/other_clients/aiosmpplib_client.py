"""PyPI's ``aiosmpplib``: sends one text as the argument says and prints what its hook gets, until its input ends.

Argument: JSON with port, login, password, text, esm_class, payload (whether a long text goes as message_payload).
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile

from aiosmpplib import ESME, TON, AbstractHook, DeliverSm, PhoneNumber, SubmitSm, SubmitSmResp
from aiosmpplib.correlator import SimpleCorrelator

wanted = json.loads(sys.argv[1])


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


class Hook(AbstractHook):
    async def sending(self, smpp_message, pdu: bytes, client_id: str) -> None:
        pass

    async def received(self, smpp_message, pdu: bytes, client_id: str) -> None:
        if isinstance(smpp_message, SubmitSmResp):
            status = int(smpp_message.command_status.value)
            say(what="answered", id=smpp_message.message_id, status=status, log_id=smpp_message.log_id)
        elif isinstance(smpp_message, DeliverSm) and smpp_message.is_receipt():
            receipt = smpp_message.parse_receipt()
            say(what="receipt", id=receipt["id"], stat=receipt["stat"], err=receipt["err"], log_id=smpp_message.log_id)
        elif isinstance(smpp_message, DeliverSm):
            say(what="inbound", text=smpp_message.short_message, phone=smpp_message.source.number)

    async def send_error(self, smpp_message, error: Exception, client_id: str) -> None:
        say(what="error", error=repr(error))


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        esme = ESME(
            smsc_host="127.0.0.1",
            smsc_port=wanted["port"],
            system_id=wanted["login"],
            password=wanted["password"],
            hook=Hook(),
            correlator=SimpleCorrelator("peer", directory=folder),
            enquire_link_interval=0.5,
        )
        await esme.broker.enqueue(
            SubmitSm(
                short_message=wanted["text"],
                source=PhoneNumber("ACME", ton=TON.ALPHANUMERIC),
                destination=PhoneNumber("77010000001"),
                encoding=wanted["encoding"],
                esm_class=wanted["esm_class"],
                auto_message_payload=wanted["payload"],
                log_id="ours",
            )
        )
        started = asyncio.create_task(esme.start())
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await esme.stop()
        await started
    say(what="done")


asyncio.run(main())
