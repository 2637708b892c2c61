// The server of npm's smpp: prints its port, then every bind and submit (one JSON a line); reports on each message, and
// sends to its client what it reads from stdin.
const readline = require("node:readline");
const smpp = require("smpp");

const say = (what) => process.stdout.write(JSON.stringify(what) + "\n");
let last = 0;
let busy = 1;
let current;

const server = smpp.createServer((session) => {
  session.on("error", (error) => say({ what: "error", code: error.code }));
  session.on("bind_transceiver", (pdu) => {
    const good = pdu.system_id === "acme" && pdu.password === "canaryPW";
    session.send(pdu.response({ command_status: good ? 0 : smpp.ESME_RINVPASWD, system_id: "npm" }));
    say({ what: "bound", good, version: pdu.interface_version });
    current = session;
  });
  session.on("submit_sm", (pdu) => {
    const message = pdu.short_message.message;
    const udh = pdu.short_message.udh;
    const text = Buffer.isBuffer(message) ? message.toString("latin1") : message;
    if (text === "busy" && busy > 0) {
      busy -= 1;
      session.send(pdu.response({ command_status: smpp.ESME_RTHROTTLED }));
      return;
    }
    const id = String(++last);
    say({
      what: "submitted", id, text, to: pdu.destination_addr, from: pdu.source_addr, ton: pdu.source_addr_ton,
      coding: pdu.data_coding, registered: pdu.registered_delivery, validity: pdu.validity_period,
      udh: udh ? udh[0].toString("hex") : "",
    });
    session.deliver_sm({
      source_addr: pdu.destination_addr, destination_addr: pdu.source_addr, esm_class: 4,
      receipted_message_id: id, message_state: 2,
      short_message: `id:${id} sub:001 dlvrd:001 submit date:2611211200 done date:2611211201 stat:DELIVRD err:000 text:`,
    }, (answer) => say({ what: "acknowledged", status: answer.command_status }));
    session.send(pdu.response({ message_id: id }));
  });
  session.on("enquire_link", (pdu) => session.send(pdu.response()));
  session.on("unbind", (pdu) => { session.send(pdu.response()); say({ what: "unbound" }); session.close(); });
});
server.listen(0, "127.0.0.1", () => say({ what: "listening", port: server.address().port }));

readline.createInterface({ input: process.stdin }).on("line", (line) => {
  current.deliver_sm(JSON.parse(line), (answer) => say({ what: "acknowledged", status: answer.command_status }));
});
