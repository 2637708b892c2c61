"""Pack files: what is right, and the sentence of each mistake with its place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.mail.parse import parse
from bridge.model import Envelope
from bridge.producers.identify import identify
from bridge.producers.loading import load_packs
from bridge.producers.shipped import shipped_rules

GOOD = (
    "producer: ups\nrecognise: {subject: '^UPS (?P<word>on|off)'}\nevents:\n  fields: {title: '{subject} {sender}'}\n"
)


def load(folder: Path, **files: str) -> tuple[str, ...]:
    """Names of the packs of *folder*."""
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, "utf-8")
    return load_packs(shipped=False, folder=folder).names


def mistakes(folder: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(folder, bad=text)
    return [problem.removeprefix(f"{folder}/") for problem in caught.value.problems]


def test_the_shipped_packs_load() -> None:
    assert {"zabbix", "icinga2", "nagios", "generic"} <= set(load_packs().names)


def test_every_shipped_pack_is_named_like_its_file() -> None:
    for path in (shipped_rules() / "producers").glob("*.yaml"):
        assert f"producer: {path.stem}\n" in path.read_text("utf-8")


def test_an_own_pack_is_asked_first_and_replaces_a_shipped_one_of_its_name(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(GOOD)
    (tmp_path / "b.yaml").write_text(GOOD.replace("ups", "zabbix", 1))
    packs = load_packs(folder=tmp_path)
    assert packs.names[:2] == ("ups", "zabbix")
    assert packs.names.count("zabbix") == 1
    zabbix = packs.named("zabbix")
    assert zabbix is not None
    assert not zabbix.lines


def test_a_folder_that_is_not_there_is_no_packs(tmp_path: Path) -> None:
    assert load_packs(shipped=False, folder=tmp_path / "none").names == ("generic",)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "bad.yaml:1:1 is empty"),
        ("- a", "bad.yaml:1:1 must be a map of keys and values"),
        ("producer: x", "bad.yaml:1:1 recognise is missing"),
        ("producer: [x", "bad.yaml:2:1 did not find expected ',' or ']'"),
        (GOOD + "extra: 1", "bad.yaml:5:1 extra: no such key; there are producer, about, recognise, events"),
        (GOOD + "producer: x", "bad.yaml:5:1 producer: stands here twice"),
        (GOOD.replace("ups", "a b", 1), "bad.yaml:1:11 producer: must be a name: letters, digits, -, _ and ."),
        (GOOD.replace("ups", "generic", 1), "bad.yaml:1:11 producer: generic is built in"),
        (GOOD.replace("(?P<word>on|off)", "("), 'bad.yaml:2:22 recognise.subject: "^UPS (" is no regex (missing ))'),
        (
            GOOD.replace("(?P<word>on|off)", "(?=x)"),
            'bad.yaml:2:22 recognise.subject: "^UPS (?=x)" looks ahead, which RE2 cannot',
        ),
        (
            GOOD.replace("{subject} ", "{word} "),
            "bad.yaml:4:19 events.fields.title: nothing gives {word}; there are sender, sender_host, subject, text",
        ),
        (
            GOOD.replace("{subject} {sender}", "{sender"),
            "bad.yaml:4:19 events.fields.title: a brace without its partner",
        ),
        (
            GOOD.replace("title:", "titel:"),
            "bad.yaml:4:12 events.fields.titel: no such key; did you mean title?",
        ),
        (
            GOOD.replace("{subject: '^UPS (?P<word>on|off)'}", "{}"),
            "bad.yaml:2:12 recognise: would recognise every mail",
        ),
        (
            GOOD + "  severity: {otherwise: awful}\n",
            "bad.yaml:5:25 events.severity.otherwise: info, warning, high or critical; found",
        ),
        (GOOD + "  subject: [{set: {a: b}}]\n", "bad.yaml:5:13 events.subject: match is missing"),
        (GOOD + "  sections: [{set: {a: b}}]\n", "bad.yaml:5:14 events.sections: match is missing"),
        (GOOD + "  sections: [{match: a, drop: yes}]\n", "bad.yaml:5:31 events.sections.drop: must be true or false"),
        (
            GOOD + "  sections: [{match: a, split: (}]\n",
            'bad.yaml:5:32 events.sections.split: "(" is no regex (missing ))',
        ),
        (GOOD + "  pairs: {names: [a]}\n", "bad.yaml:5:10 events.pairs: match is missing"),
        (
            GOOD + "  pairs: {match: '(?P<name>a)=(?P<word>b)'}\n",
            "bad.yaml:5:18 events.pairs.match: must have the groups name and value, and no others",
        ),
        (
            GOOD + "  pairs: {match: '(?P<name>a)(?P<value>b)', labels: 1}\n",
            "bad.yaml:5:53 events.pairs.labels: must be",
        ),
        ("producer: \x07", "bad.yaml:1:1 "),
    ],
)
def test_every_mistake_has_its_place_and_its_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    assert any(problem.startswith(sentence) for problem in mistakes(tmp_path, text)), mistakes(tmp_path, text)


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("producer: x")
    assert len(mistakes(tmp_path, "producer: y")) == 4


def test_two_packs_of_one_name_in_one_folder(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="ups has two packs"):
        load(tmp_path, a=GOOD, b=GOOD)


def test_T20_scalars_are_text_and_aliases_are_counted(tmp_path: Path) -> None:
    assert load(tmp_path, yes="producer: no\nrecognise: {subject: yes}\nevents: {}\n") == ("no", "generic")
    bomb = "producer: x\nrecognise: &a {subject: y}\nevents: {fields: {title: [" + "*a, " * 30 + "*a]}}\n"
    assert mistakes(tmp_path, bomb)[0] == "bad.yaml:1:1 has more than 20 aliases"


def test_not_utf8_and_not_small(tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_bytes("producer: ё".encode("cp1251"))
    with pytest.raises(ConfigError, match="is not UTF-8"):
        load_packs(shipped=False, folder=tmp_path)
    (tmp_path / "bad.yaml").write_bytes(b"#" * 1_000_001)
    with pytest.raises(ConfigError, match="larger than 1 MB"):
        load_packs(shipped=False, folder=tmp_path)


def test_the_example_of_the_reference_is_a_pack(tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "producer-packs.md"
    example = page.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0]
    assert load(tmp_path, example=example) == ("ups", "generic")


def test_the_example_of_the_how_to_pairs_its_two_mails(wrap: Callable[..., Envelope], tmp_path: Path) -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "new-producer.md"
    (tmp_path / "cooler.yaml").write_text(page.read_text("utf-8").partition("```yaml\n")[2].partition("```")[0])
    found = []
    for subject in ("Cooler hall1: TEMPERATURE HIGH", "Cooler hall1: temperature normal"):
        envelope = wrap(f"Subject: {subject}\r\n\r\nSensor: rack 3\r\n".encode())
        (event,) = identify(parse(envelope), envelope, "s", load_packs(folder=tmp_path))
        found.append((event.producer, event.host, event.key, event.state, event.title))
    assert found == [
        ("cooler", "hall1", "hall1/rack 3", "problem", "rack 3: TEMPERATURE HIGH"),
        ("cooler", "hall1", "hall1/rack 3", "recovery", "rack 3: temperature normal"),
    ]
