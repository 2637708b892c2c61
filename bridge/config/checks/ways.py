"""What rules say for Viber, WhatsApp and VK: nothing that a gateway refuses, nothing that nobody would ever see."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta

from bridge.config.checks.whole import RuleAt, Whole
from bridge.config.models import Provider, RuleKeys, Viber, Vk, Whatsapp
from bridge.config.problem import Path, Problem

_MOST_BUTTON = 19  # characters on a button, by the provider's page
_MINUTE = timedelta(minutes=1)
_CODE = re.compile(r"\{\{[^}]*\bcode\b")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_SMSGATE = ("smsgate-json", "smsgate-xml", "smsgate-get")


def check_ways(whole: Whole) -> Iterator[Problem]:
    """The keys of every rule and of ``defaults``, and ways of providers that no rule has anything for."""
    yield from _keys(whole, whole.config.defaults, ("defaults",), "")
    rules = list(whole.all_rules())
    for at in rules:
        yield from _keys(whole, at.rule, at.path, at.file)
        yield from _seen(whole, at)
        yield from _code(whole, at)
    if not whole.shaky and not any(at.value("vk") for at in rules):
        for name, provider in whole.config.providers.items():
            if provider.type in _SMSGATE and "vk" in provider.channels:
                sentence = "vk takes agreed templates only, and no rule says vk: {template: …}; it is never used"
                yield whole.wrong_key(("providers", name, "channels"), sentence, "warning")


def _keys(whole: Whole, rule: RuleKeys, path: Path, file: str) -> Iterator[Problem]:
    if rule.viber is not None:
        yield from _viber(whole, rule.viber, (*path, "viber"), file)
        yield from _validity(whole, rule.viber, (*path, "viber"), file)
    if rule.whatsapp is not None:
        yield from _url(whole, rule.whatsapp.image, (*path, "whatsapp", "image"), file)
        yield from _validity(whole, rule.whatsapp, (*path, "whatsapp"), file)
    if rule.vk is not None:
        yield from _vk(whole, rule.vk, (*path, "vk"), file)


def _viber(whole: Whole, viber: Viber, path: Path, file: str) -> Iterator[Problem]:
    yield from _url(whole, viber.image, (*path, "image"), file)
    if viber.button is None:
        if viber.image is not None:
            yield whole.wrong_key((*path, "image"), "an image needs a button; write button: {text, url}", file=file)
        return
    yield from _url(whole, viber.button.url, (*path, "button", "url"), file)
    for words in viber.button.text.values():
        if "{{" in words or "{%" in words:
            yield whole.wrong((*path, "button", "text"), "is sent as it stands; no {{ … }} here", file=file)
        elif not 0 < len(words) <= _MOST_BUTTON:
            sentence = f"{len(words)} characters; a button has room for {_MOST_BUTTON}"
            yield whole.wrong((*path, "button", "text"), sentence, file=file)


def _url(whole: Whole, url: str | None, path: Path, file: str) -> Iterator[Problem]:
    if url is None:
        return
    if "{{" in url or "{%" in url:
        yield whole.wrong(path, "is sent as it stands: nothing of a mail gets into a URL", file=file)
    elif not url.startswith("https://"):
        yield whole.wrong(path, "must begin with https://", file=file)


def _validity(whole: Whole, way: Viber | Whatsapp, path: Path, file: str) -> Iterator[Problem]:
    if way.validity is not None and (way.validity < _MINUTE or way.validity % _MINUTE):
        yield whole.wrong((*path, "validity"), "whole minutes, at least 1m", file=file)


def _vk(whole: Whole, vk: Vk, path: Path, file: str) -> Iterator[Problem]:
    for name in vk.values:
        if not _VARIABLE.fullmatch(name):
            sentence = "a variable of a template is written in Latin letters, digits and _"
            yield whole.wrong_key((*path, "values", name), sentence, file=file)


def _seen(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """A way that no provider of the rule goes."""
    for key in ("viber", "whatsapp", "vk"):
        if getattr(at.rule, key) is None:
            continue
        used = [whole.config.providers[name] for name in _chain(whole, at) if name in whole.config.providers]
        wanted = key in (at.value("channel") or ())
        if used and not wanted and not any(_goes(provider, key) for provider in used):
            sentence = f"is never shown: none of {', '.join(_chain(whole, at))} has {key} in its channels"
            yield whole.wrong_key((*at.path, key), sentence, "warning", file=at.file)


def _goes(provider: Provider, way: str) -> bool:
    return way in provider.channels and (way != "vk" or provider.type in _SMSGATE)


def _chain(whole: Whole, at: RuleAt) -> tuple[str, ...]:
    chains: Mapping[str, tuple[str, ...]] | None = at.value("send_via") or whole.config.send_via
    if not chains:
        return tuple(whole.config.providers)
    return tuple(dict.fromkeys(name for names in chains.values() for name in names))


def _code(whole: Whole, at: RuleAt) -> Iterator[Problem]:
    """A code is kept for whoever can answer, and that is what the text of the SMS says."""
    text = at.value("text")
    for key in ("viber", "whatsapp"):
        way = getattr(at.rule, key)
        if way is None or not way.text or not text or any(_CODE.search(one) for one in text.values()):
            continue
        if any(_CODE.search(one) for one in way.text.values()):
            sentence = "{{ code }} is empty here, because the rule's text shows none; write it there too"
            yield whole.wrong((*at.path, key, "text"), sentence, "warning", file=at.file)


CHECKS: tuple[Callable[[Whole], Iterator[Problem]], ...] = (check_ways,)
