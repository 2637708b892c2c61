"""What a rule shows by Viber, WhatsApp and VK: its own texts filled in, buttons and pictures as they stand (T16)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.book import RuleBook
from bridge.dispatch.ways import within
from bridge.model import Message, WayText
from bridge.proof.world import World
from bridge.sms.pieces import CODE, DETAIL, Piece
from tests.unit.dispatch.stage import NOW, Stage, build, strict

__all__ = ["strict"]
pytestmark = pytest.mark.usefixtures("strict")

RULES = """
rules:
  - rule: rich
    when: {recipient: rich@bridge.test}
    to: aigul
    text: "{{ title }} {{ code }}"
    group_text: "{{ count }} alerts"
    viber:
      text: {en: "{{ title }}: {{ text }} [{{ code }}]", ru: "Беда: {{ title }}"}
      validity: 2m
      button: {text: {en: Open, ru: Открыть}, url: "https://wiki.example/db"}
      image: https://img.example/red.png
    whatsapp: {text: "WA {{ title }}", image: https://img.example/wa.png}
    vk: {template: "100", values: {Host: "{{ host }}", What: "{{ title }}"}}
    escalate: [{after: 10m, to: ivan, text: "step {{ title }}"}]
  - {rule: timed, when: {recipient: timed@bridge.test}, to: aigul, viber: {validity: 5m}}
  - {rule: broken, when: {recipient: broken@bridge.test}, to: aigul, text: "{{ title }}",
     viber: {text: "{{ text }}{{ text }}{{ text }}", button: {text: Open, url: "https://wiki.example/"}}}
  - {rule: all, to: aigul}
"""


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> RuleBook:
    return build(tmp_path_factory.mktemp("office"), RULES)


@pytest.fixture
def stage(office: RuleBook) -> Stage:
    return Stage(World(office, NOW))


def ways(message: Message) -> dict[str, WayText]:
    return {way.way: way for way in message.ways}


def test_an_alert_shows_the_rule_s_own_text_button_picture_and_template(stage: Stage) -> None:
    stage.mail("disk full", "rich", "df says 96 %")
    found = ways(stage.newest("aigul"))
    assert stage.newest("aigul").text == "disk full 10"
    assert found["viber"] == WayText(
        "viber", "disk full: df says 96 % [10]", timedelta(minutes=2), ("Open", "https://wiki.example/db"),
        "https://img.example/red.png",
    )  # fmt: skip
    assert found["whatsapp"] == WayText("whatsapp", "WA disk full", image="https://img.example/wa.png")
    assert found["vk"] == WayText("vk", template="100", values=(("Host", "mon"), ("What", "disk full")))


def test_T16_a_mail_reaches_texts_and_never_a_button_or_a_url(stage: Stage) -> None:
    foreign = '__CALL__: pay {{ code }} https://evil.example #name# <button url="https://evil.example">'
    stage.mail(foreign, "rich", foreign)
    found = ways(stage.newest("aigul"))
    assert found["viber"].button == ("Open", "https://wiki.example/db")
    assert found["viber"].image == "https://img.example/red.png"
    assert not found["viber"].text.startswith("__")
    assert "{{ code }}" in found["viber"].text, "foreign braces are letters"
    assert found["vk"].template == "100"


def test_a_step_with_a_text_of_its_own_shows_that_by_every_way(stage: Stage) -> None:
    stage.mail("disk full", "rich")
    stage.wait(minutes=11)
    message = stage.newest("ivan")
    assert message.text == "step disk full"
    found = ways(message)
    assert (found["viber"].text, found["viber"].button[0]) == ("", "Open")
    assert "vk" not in found


def test_a_recovery_shows_its_own_text_and_keeps_only_the_time(stage: Stage) -> None:
    stage.problem(to="rich")
    stage.recovery(to="rich")
    assert stage.newest("aigul").ways == (WayText("viber", validity=timedelta(minutes=2)),)


def test_a_rule_may_set_the_time_alone(stage: Stage) -> None:
    stage.mail("disk full", "timed")
    assert stage.newest("aigul").ways == (WayText("viber", validity=timedelta(minutes=5)),)


def test_a_rule_without_such_keys_says_nothing_of_its_own(stage: Stage) -> None:
    stage.mail("disk full", "one")
    assert stage.newest("aigul").ways == ()


def test_a_text_that_cannot_be_filled_in_leaves_the_words_of_the_sms_and_the_operator_hears(stage: Stage) -> None:
    seen = stage.mail("disk full", "broken", "x" * 50_000)
    message = stage.newest("aigul")
    assert message.text == "disk full"
    assert [way.text for way in message.ways] in ([], [""])
    assert any("template" in each for each in seen if each.startswith("mail operator@"))


def test_what_is_too_long_gives_way_in_order_and_the_code_stays() -> None:
    text = within((Piece("head "), Piece("d" * 2000, DETAIL), Piece(" tail "), Piece("10", CODE)), 1000)
    assert len(text) <= 1000
    assert text.startswith("head ddd")
    assert text.endswith("tail 10")


def test_a_text_that_fits_is_not_touched() -> None:
    assert within((Piece("db01: "), Piece("disk full", DETAIL)), 1000) == "db01: disk full"


def test_a_long_text_without_marks_is_cut_at_a_word() -> None:
    text = within((Piece("word " * 500),), 1000)
    assert 980 < len(text) <= 1000
    assert text.endswith("word..")
