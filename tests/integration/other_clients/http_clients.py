"""PyPI's ``smsc`` and ``smsc-client``, which know one address only, https://smsc.ru: a proxy and an own CA, both from
the environment, bring them elsewhere. Argument: the name of what to do; prints one JSON object a line.
"""

from __future__ import annotations

import json
import sys
import time
import uuid

import smsc
import smsc_client


def say(**what: object) -> None:
    sys.stdout.write(json.dumps(what, default=str) + "\n")
    sys.stdout.flush()


def with_smsc() -> None:
    client = smsc.SMSC(login="demo", password="secret", sender="ACME")
    text = smsc.SMSMessage(text="Ваш пароль: 123, не говорите никому; 50% & +1 #2", maxsms=3)
    price = client.get_cost("77010000001", text)
    say(what="cost", count=price.count, cost=price.cost, error=price.error)
    sent = client.send(["77010000001", "77010000002"], text)
    say(what="sent", id=sent.message_id, count=sent.count, cost=sent.cost, error=sent.error)
    flash = client.send("77010000001", smsc.FlashMessage(text="flash", translit=1))
    say(what="flash", id=flash.message_id, count=flash.count)
    again = client.send("77010000001", smsc.FlashMessage(text="flash", translit=1))
    say(what="again", code=again.error.code)
    time.sleep(0.5)
    for told in client.get_status("77010000001", str(sent.message_id)):
        say(what="status", status=told.status.status_id, name=told.status.name, **told.data)
    balance = client.get_balance()
    say(what="balance", text=str(balance))
    wrong = smsc.SMSC(login="demo", password="wrong").get_balance()
    say(what="wrong", code=wrong.error.code)


def with_smsc_client() -> None:
    api = smsc_client.SMSCAPI(login="demo", password="secret")
    id = uuid.UUID("6f1ed002-ab5e-4f7a-9d5e-1c3a7d1f0001")
    answer = api.default.send(phones="77010000001", mes="disk full: 95%", id=id, sender="ACME")
    say(what="sent", parts=answer.OK, id=answer.ID)


{"smsc": with_smsc, "smsc-client": with_smsc_client}[sys.argv[1]]()
