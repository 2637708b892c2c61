"""Every shipped pack on mails of its producer: what it must cut, and what it must leave alone.

The mails come from ``tools/fixtures`` with expectations written by hand; a mail that somebody puts here himself, as
``<producer>/<name>.eml`` with ``<name>.expect.yaml`` beside it, is read by the same tests.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bridge.mail.parse import parse
from bridge.model import Email, Envelope, Event
from bridge.producers.identify import identify
from bridge.producers.loading import Packs, load_packs
from bridge.producers.pack import Mark, Pack
from bridge.producers.shipped import shipped_rules
from tools.fixtures.registry import FOLDER, SAMPLES, expected, files, whole, written
from tools.fixtures.wrappings import HEADERLESS, WRAPPINGS
from tools.producers_table import STATUS

HERE = Path(__file__).parent
PACKS = load_packs()
GOLDEN = sorted((HERE.parent / "golden").glob("*/mail.eml"))
FIELDS = ("producer", "host", "service", "severity", "state", "key", "title", "problem_id", "labels")
# Producers of rows marked F whose mails never say that a trouble has ended .
NEVER_ENDS = frozenset("smartd cron serveraid ossec rkhunter arpwatch".split())
ONLY_NEWS = frozenset({"logwatch"})  # a digest for somebody's morning

LOOKALIKES: dict[str, list[dict[str, Any]]] = yaml.safe_load((HERE / "lookalikes.yaml").read_text("utf-8"))
# Words (``has``) that only spare the patterns work: whatever the patterns of that mark fit holds one of them.
SPARING = frozenset({
    ("alertmanager", 1), ("apticron", 0), ("bacula", 0), ("bacula", 1), ("checkmk", 0), ("grafana", 0),
    ("healthchecks", 0), ("icinga2", 0), ("netdata", 1), ("truenas", 1), ("unattended-upgrades", 0),
    ("uptime-kuma", 0), ("uptimerobot", 0), ("veeam", 1), ("zabbix", 0), ("zabbix", 2), ("zabbix", 3),
})  # fmt: skip
Mails = dict[Path, tuple[Envelope, Email]]


def envelope(content: bytes) -> Envelope:
    return Envelope(content, datetime(2026, 11, 21, 2, 15, tzinfo=UTC), "bounce@mta.example", ())


@pytest.fixture(scope="module")
def mails() -> Mails:
    """Every mail of this folder, parsed once."""
    found = {}
    for path in sorted(HERE.glob("*/*.eml")):
        one = envelope(path.read_bytes())
        found[path] = (one, parse(one))
    return found


def lookalikes(producer: str) -> Iterator[tuple[Envelope, Email]]:
    """Mails that are none of *producer*'s."""
    for mail in LOOKALIKES.get(producer, ()):
        head = {"From": "Ivan <i.petrov@corp.example>", "To": "alerts@sms.shop.example"} | mail.get("headers", {})
        head |= {"Subject": mail["subject"]} | ({"From": mail["from"]} if "from" in mail else {})
        head |= {"Content-Type": "text/plain; charset=utf-8"}
        one = envelope("".join(f"{name}: {value}\r\n" for name, value in head.items()).encode() + b"\r\n"
                       + mail["text"].encode().replace(b"\n", b"\r\n"))  # fmt: skip
        yield one, parse(one)


def one_pack(pack: Pack | None) -> Packs:
    """A pack before which no other stands."""
    assert pack is not None
    return Packs((pack,))


def recognised(alone: Packs, one: Envelope, email: Email) -> bool:
    return identify(email, one, "s", alone)[0].producer != "generic"


def wanted(path: Path) -> list[dict[str, object]]:
    """The events that a file of this folder must give."""
    sample, _, wrapping = path.stem.rpartition(".")
    if wrapping not in WRAPPINGS:
        events = yaml.safe_load(path.with_suffix(".expect.yaml").read_text("utf-8"))
    else:
        all_of_it = yaml.safe_load((path.parent / "expect.yaml").read_text("utf-8"))
        name = f"{sample} (forwarded)" if wrapping in HEADERLESS else sample
        events = all_of_it.get(name) or all_of_it[sample]
    return [whole(event, path.parent.name) for event in events]


def differences(events: tuple[Event, ...], wished: list[dict[str, object]]) -> list[str]:
    """What is not as it should be; ``detail`` is compared where it is written."""
    if len(events) != len(wished):
        return [f"{len(events)} events, not {len(wished)}: {[event.title for event in events]}"]
    return [
        f"event {at} {name}: {getattr(event, name)!r}, not {value!r}"
        for at, (event, wish) in enumerate(zip(events, wished, strict=True))
        for name, value in wish.items()
        if getattr(event, name) != value
    ]


def test_the_mails_are_those_of_the_generator() -> None:
    made = files()
    assert set(written()) == set(made), "run python -m tools.fixtures"
    changed = [name for name, content in made.items() if (FOLDER / name).read_bytes() != content]
    assert not changed, "run python -m tools.fixtures"


def test_every_expectation_is_whole() -> None:
    for sample in SAMPLES:
        for event in (*sample.expect, *(sample.forwarded or ())):
            assert {"severity", "state", "title"} <= event.keys(), sample
            assert not event.keys() - {*FIELDS, "detail"}, sample
        assert sample.expect, sample
    assert len({(sample.producer, sample.name) for sample in SAMPLES}) == len(SAMPLES)


@pytest.mark.parametrize("producer", PACKS.names[:-1])
def test_cuts_what_was_expected_in_every_wrapping(producer: str, mails: Mails) -> None:
    wrong = {
        path.name: found
        for path, (one, email) in mails.items()
        if path.parent.name == producer and (found := differences(identify(email, one, "s", PACKS), wanted(path)))
    }
    assert not wrong, "\n".join(f"{name}: {'; '.join(found)}" for name, found in wrong.items())
    assert any(path.parent.name == producer for path in mails)


@pytest.mark.parametrize(
    "sample", [each for each in SAMPLES if each.pairs_with], ids=lambda each: f"{each.producer}-{each.name}"
)
def test_problem_and_recovery_have_the_same_key(sample: Any, mails: Mails) -> None:
    for wrapping in WRAPPINGS:
        path = HERE / sample.producer / f"{sample.name}.{wrapping}.eml"
        if not expected(sample, wrapping):
            continue
        ends = identify(mails[path][1], mails[path][0], "s", PACKS)
        begin = path.with_name(f"{sample.pairs_with}.{wrapping}.eml")
        begins = identify(mails[begin][1], mails[begin][0], "s", PACKS)
        keys = {(event.key, event.problem_id) for event in begins if event.state == "problem"}
        recovered = [(event.key, event.problem_id) for event in ends if event.state == "recovery"]
        assert recovered
        assert all(key in keys and key[0] for key in recovered), path.name


@pytest.mark.parametrize("producer", PACKS.names[:-1])
def test_recognises_no_mail_of_another_producer(producer: str, mails: Mails) -> None:
    """Each pack alone: no other pack stands before it and takes the mail."""
    alone = one_pack(PACKS.named(producer))
    taken = [
        path.relative_to(HERE).as_posix()
        for path, (one, email) in mails.items()
        if path.parent.name != producer and recognised(alone, one, email)
    ]
    assert not taken


@pytest.mark.parametrize("producer", LOOKALIKES)
def test_leaves_mails_alone_that_only_look_like_the_producers(producer: str) -> None:
    alone = one_pack(PACKS.named(producer))
    taken = [email.subject for one, email in lookalikes(producer) if recognised(alone, one, email)]
    assert not taken


@pytest.mark.parametrize("producer", [name for name, status in STATUS.items() if status != "F"])
def test_a_producer_without_a_sample_is_tried_on_a_mail_that_looks_like_its_own(producer: str) -> None:
    """A pack that knows only what others tell must rather take too little than too much."""
    assert len(LOOKALIKES[producer]) >= 2


def test_recognises_no_mail_of_nobody() -> None:
    for path in GOLDEN:
        if not any(name in path.parent.name for name in ("zabbix", "icinga2", "nagios")):
            one = envelope(path.read_bytes())
            assert {event.producer for event in identify(parse(one), one, "s", PACKS)} == {"generic"}, path


def read(text: str) -> dict[str, Any]:
    """A pack's YAML; what may stand alone instead of a list is a list."""
    tree: dict[str, Any] = yaml.load(text, yaml.BaseLoader)  # noqa: S506 - makes texts, lists and maps only
    holders = [(tree, "recognise"), *((tree["events"], kind) for kind in ("sections", "subject", "text", "pairs"))]
    for holder, kind in holders:
        if kind in holder and not isinstance(holder[kind], list):
            holder[kind] = [holder[kind]]
    return tree


def parts(tree: Any) -> Iterator[tuple[str, Any, Any]]:
    """Every mark and cut of a pack's YAML: its name, what holds it, and its place there."""
    yield from ((f"recognise {at}", tree["recognise"], at) for at in range(len(tree["recognise"])))
    for kind in ("sections", "subject", "text", "pairs"):
        given = tree["events"].get(kind, [])
        yield from ((f"{kind} {at}", given, at) for at in range(len(given)))
    for kind in ("lines", "headers"):
        named = tree["events"].get(kind, {})
        yield from ((f"{kind} {name}", named, name) for name in named)
    yield from ((kind, tree["events"], kind) for kind in ("split", "continued") if kind in tree["events"])


def without(text: str, at: int) -> tuple[str, dict[str, Any]]:
    """The pack of *text* without its *at*-th part; what that was."""
    tree = read(text)
    name, holder, place = list(parts(tree))[at]
    removed = holder[place]
    del holder[place]
    if name.startswith("recognise") and not holder:
        tree["recognise"] = {"subject": "^never$"}
    keep_names(tree, removed, name)
    return name, tree


def keep_names(tree: dict[str, Any], removed: Any, name: str) -> None:
    """A pack whose templates use a name that nothing gives is refused: let a pattern that never fits give it."""
    kind = name.partition(" ")[0]
    names = set(removed.get("set", {})) if isinstance(removed, Mapping) else set()
    if kind in ("subject", "text"):
        names |= {each.partition(">")[0] for each in removed["match"].split("(?P<")[1:]}
    elif kind == "pairs":
        names |= {*removed.get("names", ()), "pairs"}
    elif kind in ("lines", "headers"):
        names.add(name.partition(" ")[2])
    tree["events"]["text"] = [
        *tree["events"].get("text", []),
        {"match": "never-in-any-mail-0417", "set": dict.fromkeys(names, "x")},
    ]


@pytest.mark.parametrize("producer", PACKS.names[:-1])
def test_every_mark_and_every_cut_is_needed(producer: str, mails: Mails, tmp_path: Path) -> None:
    """Mutation: without any one of them a mail of the producer is read differently. All of them are tried."""
    text = (shipped_rules() / "producers" / f"{producer}.yaml").read_text("utf-8")
    own = [(one, email, wanted(path)) for path, (one, email) in mails.items() if path.parent.name == producer]
    survivors = []
    for at in range(len(list(parts(read(text))))):
        name, tree = without(text, at)
        (tmp_path / "pack.yaml").write_text(yaml.safe_dump(tree, allow_unicode=True, sort_keys=False), "utf-8")
        mutant = load_packs(shipped=False, folder=tmp_path)
        if not any(differences(identify(email, one, "s", mutant), wish) for one, email, wish in own):
            survivors.append(name)
    assert not survivors


def weaker(mark: Mark, spared: bool) -> Iterator[tuple[str, Mark]]:
    """*mark* without each one of its matchers. *spared*: its words are no matcher."""
    for name in mark.headers:
        rest = {other: pattern for other, pattern in mark.headers.items() if other != name}
        yield f"header {name}", replace(mark, headers=rest)
    if mark.senders:
        yield "from", replace(mark, senders=())
    if mark.words and not spared:
        yield "has", replace(mark, words=())
    if mark.subject is not None:
        yield "subject", replace(mark, subject=None)
    if mark.text is not None:
        yield "text", replace(mark, text=None)


@pytest.mark.parametrize("producer", PACKS.names[:-1])
def test_every_matcher_of_a_mark_is_needed(producer: str, mails: Mails) -> None:
    """Mutation: without any one of them a mail of somebody else is taken for the producer's."""
    pack = PACKS.named(producer)
    assert pack is not None
    others = [each for path, each in mails.items() if path.parent.name != producer] + list(lookalikes(producer))
    raw = (shipped_rules() / "producers" / f"{producer}.yaml").read_text("utf-8")
    written = read(raw)["recognise"]
    survivors = []
    for at, mark in enumerate(pack.marks):
        patterns = " ".join(str(written[at].get(key, "")) for key in ("subject", "text"))
        spared = (producer, at) in SPARING or all(word in patterns.replace("\\", "").casefold() for word in mark.words)
        for name, mutant in weaker(mark, spared):
            alone = one_pack(replace(pack, marks=(mutant,)))
            if mutant != Mark() and not any(recognised(alone, *each) for each in others):
                survivors.append(f"mark {at}: {name}")
    assert not survivors


@pytest.mark.parametrize("producer, at", sorted(SPARING))
def test_words_that_only_spare_work_lose_no_mail(producer: str, at: int, mails: Mails) -> None:
    pack = PACKS.named(producer)
    assert pack is not None
    marks = (pack.marks[at], replace(pack.marks[at], words=()))
    quick, slow = (one_pack(replace(pack, marks=(mark,))) for mark in marks)
    assert marks[0].words
    assert all(recognised(quick, *each) == recognised(slow, *each) for each in [*mails.values(), *lookalikes(producer)])


@pytest.mark.parametrize("producer", [name for name, status in STATUS.items() if status == "F"])
def test_a_known_producer_has_problem_and_recovery_in_every_wrapping(producer: str) -> None:
    samples = [sample for sample in SAMPLES if sample.producer == producer]
    seen = {
        (wrapping, event["state"])
        for sample in samples
        for wrapping in WRAPPINGS
        for event in expected(sample, wrapping)
    }
    states = ("info",) if producer in ONLY_NEWS else ("problem",) if producer in NEVER_ENDS else ("problem", "recovery")
    assert {(wrapping, state) for wrapping in WRAPPINGS for state in states} <= seen
    assert producer in NEVER_ENDS | ONLY_NEWS or any(sample.pairs_with for sample in samples)


def test_every_pack_has_a_status() -> None:
    assert set(STATUS) == set(PACKS.names[:-1])
