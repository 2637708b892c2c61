// The client of npm's smpp: sends what it reads from stdin (one JSON a line), prints what it gets (one JSON a line).
const readline = require("node:readline");
const smpp = require("smpp");

const [port, system_id, password] = process.argv.slice(2);
const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
const text = (pdu) => {
  const message = pdu.short_message && pdu.short_message.message;
  return Buffer.isBuffer(message) ? message.toString("latin1") : message || "";
};

const session = smpp.connect({ url: `smpp://127.0.0.1:${port}`, auto_enquire_link_period: 200 }, () => {
  session.bind_transceiver({ system_id, password, interface_version: 0x34 }, (pdu) => {
    say({ what: "bound", status: pdu.command_status });
  });
});
session.on("deliver_sm", (pdu) => {
  session.send(pdu.response());
  say({
    what: "deliver", from: pdu.source_addr, to: pdu.destination_addr, esm_class: pdu.esm_class, text: text(pdu),
    id: pdu.receipted_message_id, state: pdu.message_state, udh: pdu.short_message && pdu.short_message.udh ? 1 : 0,
  });
});
session.on("enquire_link_resp", () => say({ what: "alive" }));
session.on("close", () => say({ what: "closed" }));
session.on("error", (error) => say({ what: "error", code: error.code }));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  const wanted = JSON.parse(line);
  if (wanted.what === "unbind") {
    session.unbind(() => { say({ what: "unbound" }); session.close(() => process.exit(0)); });
  } else if (wanted.what === "query") {
    session.query_sm({ message_id: wanted.id }, (pdu) => {
      say({ what: "queried", status: pdu.command_status, state: pdu.message_state });
    });
  } else {
    const { udh, ...fields } = wanted.submit;
    if (udh) fields.short_message = { udh: Buffer.from(udh, "hex"), message: fields.short_message };
    session.submit_sm(fields, (pdu) => say({ what: "answered", status: pdu.command_status, id: pdu.message_id }));
  }
});
