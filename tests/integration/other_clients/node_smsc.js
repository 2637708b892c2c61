// npm's node-smsc: every call of it that sends or asks. Arguments: the address, a login, a password.
const initSmsc = require("node-smsc");

const [request, login, password] = process.argv.slice(2);
const say = (what, answer) => process.stdout.write(JSON.stringify({ what, answer }) + "\n");
const wait = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

(async () => {
  const smsc = initSmsc({ request, login, password });
  const text = { phones: "77010000001", mes: "Диск полон: 95% & +1", sender: "ACME", cost: 3 };
  const sent = await smsc.send(text);
  say("sent", sent);
  await smsc.send(text).then((answer) => say("twice", answer), (error) => say("refused", error.response));
  await wait(500);
  say("one", await smsc.status({ phone: "77010000001", id: sent.id, all: 2 }));
  say("list", await smsc.status({ phone: "77010000001,77010000002", id: `${sent.id},9`, all: 1 }));
  say("price", await smsc.send({ phones: "77010000001", mes: "x", cost: 1, op: 1 }));
  say("balance", await smsc.balance({ cur: 1 }));
  say("answers", await smsc.get({ get_answers: 1, hour: 1 }));
  say("history", await smsc.get({ get_messages: 1, start: "01.01.2001", end: "02.01.2001" }));
  say("operator", await smsc.info({ get_operator: 1, phone: "77010000001" }));
  const files = [{ field: "mes", value: "по частям" }];
  say("multipart", await smsc.send({ phones: "77010000003" }, { files }));
  const bad = initSmsc({ request, login, password: "wrong" });
  await bad.balance().catch((error) => say("wrong", error.response));
})();
