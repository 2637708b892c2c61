"""PyPI's ``smpplib``: sends one text in as many parts as the library makes, waits for deliveries, asks for the state.

Argument: JSON with port, login, password, text, deliveries (how many to wait for), ca (a file, or "" for no TLS).
"""

from __future__ import annotations

import json
import ssl
import sys

import smpplib.client
import smpplib.consts
import smpplib.exceptions
import smpplib.gsm

wanted = json.loads(sys.argv[1])
sent: list[str] = []
delivered = 0


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def on_sent(pdu) -> None:
    sent.append(pdu.message_id.decode())
    say(what="sent", id=sent[-1])


def on_delivered(pdu) -> None:
    global delivered
    delivered += 1
    id = pdu.receipted_message_id
    text = pdu.short_message or b""
    coding = {0: "latin-1", 4: "latin-1", 8: "utf-16-be"}[pdu.data_coding]
    say(what="delivered", id=id and id.decode(), state=pdu.message_state, text=text.decode(coding))


def tls() -> ssl.SSLContext | None:
    if not wanted["ca"]:
        return None
    context = ssl.create_default_context(cafile=wanted["ca"])
    context.check_hostname = False  # the library names no host when it wraps its socket
    return context


client = smpplib.client.Client("127.0.0.1", wanted["port"], ssl_context=tls(), allow_unknown_opt_params=True)
client.set_message_sent_handler(on_sent)
client.set_message_received_handler(on_delivered)
client.set_query_resp_handler(lambda pdu: say(what="queried", state=pdu.message_state))
client.connect()
try:
    client.bind_transceiver(system_id=wanted["login"], password=wanted["password"])
except smpplib.exceptions.PDUError as error:
    say(what="refused", status=error.args[1])
    sys.exit(0)
parts, coding, esm_class = smpplib.gsm.make_parts(wanted["text"])
for part in parts:
    client.send_message(
        source_addr_ton=smpplib.consts.SMPP_TON_ALNUM,
        source_addr="ACME",
        dest_addr_ton=smpplib.consts.SMPP_TON_INTL,
        dest_addr_npi=smpplib.consts.SMPP_NPI_ISDN,
        destination_addr="77010000001",
        short_message=part,
        data_coding=coding,
        esm_class=esm_class,
        registered_delivery=True,
    )
while delivered < wanted["deliveries"]:
    client.read_once()
client.query_message(message_id=sent[0], source_addr_ton=0, source_addr_npi=0, source_addr="ACME")
client.read_once()
client.unbind()
client.disconnect()
say(what="done", parts=len(parts))
