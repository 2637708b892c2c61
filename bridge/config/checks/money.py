"""Providers, the money they count in, and budgets."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

from bridge.config.checks.people import old_zone, outside
from bridge.config.checks.whole import Whole, each
from bridge.config.derived import main_currency
from bridge.config.models import Budget, Provider
from bridge.config.problem import Path, Problem
from bridge.config.reachable import literal, may_be_asked

_HTTP = frozenset({"smsc-http", "smsgate-json", "smsgate-get", "smsgate-xml", "plain-http"})
_SMSGATE = frozenset({"smsgate-json", "smsgate-get", "smsgate-xml"})
_SMPP, _MAIL, _SMSC_HTTP, _PLAIN = (frozenset({name}) for name in ("smsc-smpp", "smsc-smtp", "smsc-http", "plain-http"))
_SIGNED = _SMSC_HTTP | _SMPP | _MAIL  # whose callbacks carry a sum with our secret

ONLY_FOR: Mapping[str, frozenset[str]] = {
    "base_url": _HTTP,
    "reserve_urls": _SMSC_HTTP,
    "relay": _MAIL,
    "to": _MAIL,
    "mail_from": _MAIL,
    "hosts": _SMPP,
    "tls": _SMPP | _MAIL,
    "window": _SMPP,
    "connections": _SMPP,
    "status": _SMPP | _MAIL,
    "on_unknown": _MAIL,
    "channels": _SMSGATE | _SMSC_HTTP,
    "viber_validity": _SMSGATE | _SMSC_HTTP,
    "viber_sender": _SMSGATE,
    "whatsapp_sender": _SMSGATE,
    "confirm_by_call": _SMSC_HTTP,
    "request": _PLAIN,
    "success": _PLAIN,
    "failure": _PLAIN,
    "plain": _PLAIN,
}  # keys that not every type of provider has (FORMAT, column "for")
_NEEDED: Mapping[str, frozenset[str]] = {
    "base_url": _HTTP, "relay": _MAIL, "to": _MAIL, "hosts": _SMPP, "request": _PLAIN, "success": _PLAIN,
}  # fmt: skip


def check_providers(whole: Whole) -> Iterator[Problem]:
    """Each provider: keys of its type, a way to log in, TLS, names it refers to."""
    if not whole.config.providers and not whole.shaky:
        yield whole.wrong_key(("providers",), "no provider; SMS need at least one")
    for name, provider in whole.config.providers.items():
        path: Path = ("providers", name)
        yield from _keys(whole, path, provider)
        yield from _login(whole, path, provider)
        yield from _plain_text(whole, path, provider)
        yield from _addresses(whole, path, provider)
        yield from _callbacks(whole, path, provider)
        for prefix in provider.senders:
            yield from outside(whole, prefix, (*path, "senders", prefix))
        if provider.status is not None:
            yield from whole.unknown("providers", provider.status, (*path, "status"), "provider")
            other = whole.config.providers.get(provider.status)
            if other is not None and other.type != "smsc-http":
                yield whole.wrong((*path, "status"), f"{provider.status} is {other.type}; smsc-http can be asked")


def _keys(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    for key, types in ONLY_FOR.items():
        if key in provider.model_fields_set and provider.type not in types:
            yield whole.wrong_key((*path, key), f"{provider.type} has no such key; only {', '.join(sorted(types))}")
    for key, types in _NEEDED.items():
        if provider.type in types and not getattr(provider, key) and not whole.has((*path, key)):
            yield whole.wrong_key(path, f"{key} is missing; {provider.type} needs it")


def _login(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    key = provider.apikey or provider.token
    written = [one for one in ("login", "password", "apikey", "token") if whole.has((*path, one))]
    if key and (provider.login or provider.password) and provider.type in ("smsc-http", *_SMSGATE):
        yield whole.wrong_key(path, f"{' and '.join(written)}; write login and password, or a key alone")
    elif not key and not (provider.login and provider.password) and provider.type != "plain-http":
        missing = next((one for one in ("login", "password") if one not in written), "")
        if missing and not whole.has_odd_keys(path, Provider):
            yield whole.wrong_key(path, f"{missing} is missing; write login and password, or apikey or token")
    if provider.type == "smsc-smtp" and provider.login and ":" in provider.login:
        sentence = 'holds ":", which the mail format of smsc uses between its fields; choose another login'
        yield whole.wrong((*path, "login"), sentence)


def is_loopback(host: str) -> bool:
    """Whether *host* is this machine by its very name."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _plain_text(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    """Text and password in the clear beyond this machine only with ``insecure``, which is said each time (T36)."""
    open_keys = [key for key, hosts in _clear(provider).items() if any(not is_loopback(host) for host in hosts)]
    for key in open_keys:
        if provider.insecure:
            yield whole.wrong(
                (*path, "insecure"), f"{key} goes without TLS; everybody on the way can read it", "warning"
            )
        else:
            yield whole.wrong((*path, key), "without TLS beyond this machine; use TLS, or say insecure: true")


def _addresses(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    """No gateway is at an address that is the machine's own, or its cloud's (T26)."""
    hosts = [((*path, "base_url"), urlsplit(provider.base_url or "").hostname or "")]
    hosts += [(at, urlsplit(url).hostname or "") for at, url in each((*path, "reserve_urls"), provider.reserve_urls)]
    hosts += [(at, one.host) for at, one in each((*path, "hosts"), provider.hosts)]
    hosts += [((*path, "relay"), provider.relay.host)] if provider.relay else []
    for at, host in hosts:
        address = literal(host)
        if address is not None and not may_be_asked(address):
            yield whole.wrong(at, f"{host} is an address where no gateway can be")


def _clear(provider: Provider) -> dict[str, list[str]]:
    """Key → hosts that are reached without TLS."""
    urls = {"base_url": [provider.base_url or ""], "reserve_urls": list(provider.reserve_urls)}
    clear = {
        key: [urlsplit(url).hostname or "" for url in some if url.startswith("http://")] for key, some in urls.items()
    }
    if provider.tls != "required":
        clear["tls"] = [host.host for host in provider.hosts] + ([provider.relay.host] if provider.relay else [])
    return {key: hosts for key, hosts in clear.items() if hosts}


def _callbacks(whole: Whole, path: Path, provider: Provider) -> Iterator[Problem]:
    listens = any(one.door == "http" and "callbacks" in one.serve for one in whole.config.listen)
    if provider.callbacks and not listens:
        yield whole.wrong_key((*path, "callbacks"), "no http door serves callbacks; add one under listen:")
    elif provider.callbacks and not (whole.config.http and whole.config.http.public_url):
        sentence = "the provider must reach us; write http: {public_url: https://…}"
        yield whole.wrong_key((*path, "callbacks"), sentence, "warning")
    if provider.callbacks and provider.type in _SIGNED and provider.callbacks.secret is None:
        yield whole.wrong_key((*path, "callbacks"), "secret is missing; what smsc posts is believed when it is signed")
    if provider.inbound == "callback" and not provider.callbacks:
        yield whole.wrong(
            (*path, "inbound"), "callback, but no callbacks are described; write callbacks: or inbound: poll"
        )


def check_chains(whole: Whole) -> Iterator[Problem]:
    """``send_via`` of the configuration and of ``defaults``."""
    yield from chain(whole, whole.config.send_via, ("send_via",))
    yield from chain(whole, whole.config.defaults.send_via, ("defaults", "send_via"))


def chain(
    whole: Whole, chains: Mapping[str, tuple[str, ...]] | None, path: Path, *, file: str = ""
) -> Iterator[Problem]:
    """Providers exist; prefixes are allowed; all of a chain can be answered, or none."""
    if chains and "default" not in chains:
        yield whole.wrong(path, "default is missing; phones of other prefixes had no provider", file=file)
    for prefix, names in (chains or {}).items():
        here = (*path, prefix)
        if prefix != "default":
            yield from outside(whole, prefix, here, file=file)
        if not names:
            yield whole.wrong(here, "no provider; name at least one", file=file)
        for at, name in each(here, names):
            yield from whole.unknown("providers", name, at, "provider", file=file)
        known = {name: whole.config.providers[name] for name in names if name in whole.config.providers}
        without = [name for name, one in known.items() if not one.number]
        if without and len(without) < len(known):
            sentence = f"only some of these providers have a number; what goes by {without[0]} cannot be answered"
            yield whole.wrong(here, sentence, "warning", file=file)


def check_currency(whole: Whole) -> Iterator[Problem]:
    """One currency to compare in, and the price of each other one."""
    config = whole.config
    used: dict[str, Path] = {}
    for name, provider in config.providers.items():
        if provider.currency:
            used.setdefault(provider.currency, ("providers", name, "currency"))
    main = main_currency(config)
    if main is None and len(used) > 1:
        yield whole.wrong((), f"currency is missing; providers count in {' and '.join(sorted(used))}")
    if main is None and not used:
        for name, provider in config.providers.items():
            if provider.prices:
                yield whole.wrong_key(("providers", name, "prices"), "prices without a currency; write currency: KZT")
    for currency, worth in config.exchange.items():
        if main and worth.currency != main:
            yield whole.wrong(("exchange", currency), f"{worth.currency}, but currency is {main}; say it in {main}")
    if main:
        for currency, path in {**dict(_budget_currencies(whole)), **used}.items():
            if currency != main and currency not in config.exchange:
                yield whole.wrong(
                    path, f"{currency} is not {main}; write exchange: {{{currency}: 1.00 {main}}} with its price"
                )


def _budgets(whole: Whole) -> Iterator[tuple[Path, Budget]]:
    budgets = whole.config.budgets
    for name in ("total", "each_person", "each_number", "each_source", "each_rule"):
        if (one := getattr(budgets, name)) is not None:
            yield ("budgets", name), one
    for prefix, one in budgets.each_prefix.items():
        yield ("budgets", "each_prefix", prefix), one
    for name, one in budgets.own.items():
        yield ("budgets", name), one


def _budget_currencies(whole: Whole) -> Iterator[tuple[str, Path]]:
    for path, budget in _budgets(whole):
        for at, rate in each((*path, "money"), budget.money):
            yield rate.money.currency, at


def check_budgets(whole: Whole) -> Iterator[Problem]:
    """A ceiling for the day; budgets that limit something; prefixes that SMS may go to."""
    if whole.config.budgets.total is None and not whole.has(("budgets", "total")):
        sentence = "no budgets.total; SMS cost money, so say how much a day may cost"
        yield Problem(whole.places.main, 0, 0, "", sentence, "warning")
    for path, budget in _budgets(whole):
        if not (budget.money or budget.messages or budget.segments) and not any(
            whole.has((*path, key)) for key in ("money", "messages", "segments")
        ):
            yield whole.wrong_key(path, "limits nothing; write money:, messages: or segments:")
    for prefix in whole.config.budgets.each_prefix:
        yield from outside(whole, prefix, ("budgets", "each_prefix", prefix))


def check_zones(whole: Whole) -> Iterator[Problem]:
    """Old names of the zones of the configuration itself."""
    yield from old_zone(whole, whole.config.timezone, ("timezone",))


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (
    check_providers, check_chains, check_currency, check_budgets, check_zones,
)  # fmt: skip
