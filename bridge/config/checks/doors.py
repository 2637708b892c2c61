"""Doors, sources, mailboxes, HTTP, outgoing mail, the operator, commands and the rest of config.yaml."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from bridge.config.checks.money import is_loopback
from bridge.config.checks.people import old_zone
from bridge.config.checks.whole import Whole, each
from bridge.config.models import Listener, Source
from bridge.config.names import Network
from bridge.config.problem import Path, Problem

_MAIL_DOORS = ("smtp", "lmtp", "folder")
_MAIL_KEYS = ("starttls", "trust", "auth", "line_ends", "client_ca")
_WAYS_IN = ("login", "network", "certificate", "mailbox", "token", "smsc")
_CRON_PART = re.compile(r"(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?(,(\*|[0-9]{1,2}(-[0-9]{1,2})?)(/[0-9]{1,2})?)*")


def check_listen(whole: Whole) -> Iterator[Problem]:
    """Each door alone, and all together."""
    config = whole.config
    if not config.listen and not config.mailboxes and not whole.shaky:
        yield whole.wrong_key(("listen",), "no door; without mailboxes nothing can come in")
    doors: dict[str, int] = {}
    for path, door in each(("listen",), config.listen):
        yield from _door(whole, path, door)
        address = str(door.address)
        if address in doors and not address.endswith(":0"):
            yield whole.wrong((*path, "address"), f"{address} is the address of listen[{doors[address]}] already")
        doors.setdefault(address, int(path[-1]))
    if any(door.door in _MAIL_DOORS for door in config.listen) and not config.domains and not whole.has(("domains",)):
        yield whole.wrong_key(("listen",), "domains is missing; a mail door must know for which it answers")


def _door(whole: Whole, path: Path, door: Listener) -> Iterator[Problem]:
    right = {"folder": ("folder",), "http": ("tcp", "unix", "systemd")}.get(door.door, ("tcp", "unix", "systemd"))
    if door.address.kind not in right:
        what = "a folder" if door.door == "folder" else "HOST:PORT, unix:PATH or socket:NAME"
        yield whole.wrong((*path, "address"), f"{what} belongs here")
    if door.auth == "required" and not (door.tls or door.starttls):
        yield whole.wrong((*path, "auth"), "required needs TLS; write starttls: {cert: PATH, key: PATH}")
    if door.auth == "optional" and not (door.tls or door.starttls):
        yield whole.wrong((*path, "auth"), "nobody can log in without TLS; write starttls:", "warning")
    if door.client_ca and not (door.tls or door.starttls):
        yield whole.wrong((*path, "client_ca"), "needs TLS; write starttls: or tls:")
    for key in _MAIL_KEYS if door.door in ("http", "folder") else ("serve",):
        if key in door.model_fields_set:
            yield whole.wrong_key((*path, key), f"a door of kind {door.door} has no such key")
    if door.door == "smtp" and door.auth_mode == "off" and not (door.trust or whole.has((*path, "trust"))):
        sentence = "nobody can hand mail in here; write trust: with networks, or starttls: and logins"
        yield whole.wrong(path, sentence, "warning")


def check_sources(whole: Whole) -> Iterator[Problem]:
    """Every source has a way in, and that way is open."""
    trusted = [network for door in whole.config.listen for network in door.trust]
    for name, entries in whole.config.sources.items():
        for at, source in each(("sources", name), entries):
            yield from _source(whole, at, source, trusted)


def _source(whole: Whole, path: Path, source: Source, trusted: list[Network]) -> Iterator[Problem]:
    if not any(whole.has((*path, key)) or whole.has((*path[:-1], key)) for key in _WAYS_IN):
        yield whole.wrong_key(path, f"no way in; write {', '.join(_WAYS_IN[:-1])} or {_WAYS_IN[-1]}")
    for at, network in each((*path, "network"), source.network):
        if not any(_inside(network, one) for one in trusted):
            yield whole.wrong(at, f"{_short(network)} is in no trust of a door; nobody from there may hand in")
    for at, mailbox in each((*path, "mailbox"), source.mailbox):
        yield from whole.unknown("mailboxes", mailbox, at, "mailbox")
    yield from old_zone(whole, source.timezone, (*path, "timezone"))
    smsc = source.smsc
    if smsc and bool(smsc.apikey) == bool(smsc.login or smsc.password):
        yield whole.wrong((*path, "smsc"), "login and password, or apikey alone")
    elif smsc and not smsc.apikey and not (smsc.login and smsc.password):
        yield whole.wrong((*path, "smsc"), "login and password belong together")
    if smsc and smsc.login and ":" in smsc.login:
        sentence = 'holds ":", which the mail format of smsc uses between its fields; choose another login'
        yield whole.wrong((*path, "smsc", "login"), sentence)
    if source.certificate and not any(door.client_ca for door in whole.config.listen):
        yield whole.wrong((*path, "certificate"), "no door has a client_ca; nobody can show a certificate", "warning")


def _short(network: Network) -> str:
    return str(network.network_address if network.prefixlen == network.max_prefixlen else network)


def _inside(network: Network, trust: Network) -> bool:
    return network.version == trust.version and trust.supernet_of(network)  # type: ignore[arg-type]  # one version


def check_mailboxes(whole: Whole) -> Iterator[Problem]:
    """A way to log in to each mailbox."""
    for name, mailbox in whole.config.mailboxes.items():
        path: Path = ("mailboxes", name)
        if (mailbox.password is None) == (mailbox.oauth is None) and not whole.has((*path, "password")):
            yield whole.wrong_key(path, "exactly one of password and oauth")
        if not isinstance(mailbox.after, str) and (mailbox.after.move is None) == (mailbox.after.flag is None):
            yield whole.wrong((*path, "after"), "seen, delete, {move: FOLDER} or {flag: WORD}")


def check_service(whole: Whole) -> Iterator[Problem]:
    """Operator, outgoing mail, HTTP, heartbeat."""
    config = whole.config
    for at, who in each(("operator", "to"), config.operator.to):
        yield from whole.unknown_who(who, at)
    mail = config.outgoing_mail
    if mail is None and not whole.has(("outgoing_mail",)):
        sentence = "no outgoing_mail; answers, reports and the notices for the operator cannot leave"
        yield Problem(whole.places.main, 0, 0, "", sentence, "warning")
    if mail and mail.tls == "off" and mail.password and not is_loopback(mail.relay.host):
        yield whole.wrong(("outgoing_mail", "tls"), "the password would go in the clear; write tls: required")
    elif mail and mail.tls != "required" and not is_loopback(mail.relay.host):
        yield whole.wrong(("outgoing_mail", "tls"), "mails may leave without TLS", "warning")
    if mail and (mail.user is None) != (mail.password is None):
        yield whole.wrong_key(("outgoing_mail",), "user and password belong together")
    if config.heartbeat and (config.heartbeat.url is None) == (config.heartbeat.mail is None):
        yield whole.wrong_key(("heartbeat",), "exactly one of url and mail")
    yield from _http(whole)


def _http(whole: Whole) -> Iterator[Problem]:
    http = whole.config.http
    if http is None:
        return
    if http.public_url and not http.public_url.startswith("https://"):
        yield whole.wrong(("http", "public_url"), "providers and people come over the internet; write https://…")
    for word in ("header", "oidc"):
        if http.sign_in == word and not getattr(http, word) and not whole.has(("http", word)):
            yield whole.wrong(("http", "sign_in"), f"{word}, but {word}: is missing")


def check_commands(whole: Whole) -> Iterator[Problem]:
    """Codes of one length, words that mean one verb, programs."""
    commands = whole.config.commands
    if len(str(commands.codes.first)) != len(str(commands.codes.last)):
        yield whole.wrong(("commands", "codes"), "codes must be of one length, like 10-99 or 100-999")
    if not commands.one_time_code and not commands.trust_caller_id and whole.has(("commands", "one_time_code")):
        sentence = "may be empty only with trust_caller_id: true; caller numbers can be forged"
        yield whole.wrong(("commands", "one_time_code"), sentence)
    meaning: dict[str, str] = {}
    for verb, words in commands.words.items():
        for at, word in each(("commands", "words", verb), words):
            earlier = meaning.setdefault(word.casefold(), verb)
            if earlier != verb:
                yield whole.wrong(at, f'"{word}" means {earlier} already; one word, one verb')
    for name, program in commands.run.items():
        path: Path = ("commands", "run", name)
        if not program.argv or not program.argv[0].startswith("/"):
            yield whole.wrong((*path, "argv"), "an absolute path comes first")
        for at, who in each((*path, "who"), program.who):
            yield from whole.unknown_who(who, at)


def cron_mistake(text: str) -> str:
    """What is wrong with five fields of cron, "" when nothing is."""
    parts = text.split()
    if len(parts) != 5 or not all(_CRON_PART.fullmatch(part) for part in parts):
        return f'five fields of digits, * , - and /, like "30 3 * * *"; found "{text}"'
    return ""


def check_names(whole: Whole) -> Iterator[Problem]:
    """Names that other parts of config.yaml use: ladders, monitors' URLs, quiet windows of ``defaults``."""
    for name, monitor in whole.config.monitors.items():
        if monitor.url and monitor.url.startswith("http://") and not monitor.insecure:
            host = monitor.url.removeprefix("http://").split("/")[0].rsplit(":", 1)[0]
            if not is_loopback(host):
                yield whole.wrong(("monitors", name, "url"), "without TLS beyond this machine; say insecure: true")
        if monitor.url is None:
            yield whole.wrong_key(("monitors", name), "url is missing")


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (
    check_listen, check_sources, check_mailboxes, check_service, check_commands, check_names,
)  # fmt: skip
