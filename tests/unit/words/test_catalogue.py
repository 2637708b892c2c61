"""The catalogues against the table of agreed sentences, and against each other."""

from __future__ import annotations

import string
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import yaml

from bridge.sms.segment import length, segment
from bridge.words.catalogue import LANGUAGES, SECTIONS, Section, read_catalogue, words
from bridge.words.figures import masked, money, plural_ru

AGREED: Mapping[str, Mapping[str, Mapping[str, object]]] = yaml.safe_load(
    (Path(__file__).parent / "frames.yaml").read_text(encoding="utf-8")
)
AIGUL = {"en": "Aigul", "ru": "Айгуль", "kk": "Айгүл", "ru-latin": "Aigul", "kk-latin": "Aigul"}
IVAN = {"en": "Ivan", "ru": "Иван", "kk": "Иван", "ru-latin": "Ivan", "kk-latin": "Ivan"}
WARNING = {"en": "WARN", "ru": "ВНИМ", "kk": "НАЗАР"}
OPEN = {
    "en": "12 db01 disk, 13 kassa-04 link", "ru": "12 db01 диск, 13 касса-04 связь",
    "kk": "12 db01 диск, 13 касса-04 байланыс", "ru-latin": "12 db01 disk, 13 kassa-04 svyaz",
    "kk-latin": "12 db01 disk, 13 kassa-04 bailanys",
}  # fmt: skip
LAST_OPEN = {"en": "14 ups-2 battery", "ru": "14 ups-2", "kk": "14 ups-2"}
UNKNOWN = {
    "en": "disk ok plz", "ru": "диск ок плиз", "kk": "диск ок", "ru-latin": "disk ok pliz", "kk-latin": "disk ok",
}  # fmt: skip
NIGHT = {"en": ("Tue 20:00", "Wed 08:00"), "ru": ("вт 20:00", "ср 08:00"), "kk": ("сс 20:00", "ср 08:00")}
MONDAY = {"en": "Mon 09:00", "ru": "пн 09:00", "kk": "дс 09:00"}
HIDDEN = {"en": "db01 x12, sw3 x9, web7 x5, 11 more", "ru": "db01 x12, sw3 x9, web7 x5, ещё 11"}
# Sentences that differ from the agreed ones on purpose: a Kazakh name takes an ending that depends on its vowels.
DIFFER = {("kk", "status")}
# What a translation leaves out, for want of room; everything else must name the same values.
LEFT_OUT = {
    "ru": {
        "unreadable": set(), "missing": set(), "limited": {"n", "span"}, "limited.all": {"n", "span"},
        "digest.morning": {"begin", "end"}, "digest.morning.open": {"begin", "end"}, "status": {"at"},
        "stop": {"team"}, "confirm": {"span"},
    },
    "kk": {
        "limited": {"n", "span"}, "limited.all": {"n", "span"}, "digest.morning": {"begin", "end"},
        "digest.morning.open": {"begin", "end"}, "status": {"at"}, "stop": {"team"}, "confirm": {"span"},
    },
    "ru-latin": {"stop": {"team"}},
    "kk-latin": {"limited": {"n", "span"}, "stop": {"team"}},
}  # fmt: skip


def sample(variety: str, id: str) -> dict[str, object]:
    """The values with which the agreed sentence was written."""
    language = variety.partition("-")[0]
    said = words(language, latin="latin" in variety)
    begin, end = ("03:12", "03:16") if id == "recovery.late" else NIGHT[language]
    if id.startswith("digest"):
        begin, end = ("14:05", "14:20") if id == "digest" else ("23:00", "07:00")
    span = {
        "recovery": timedelta(minutes=30), "status": timedelta(minutes=25), "limited": timedelta(minutes=15),
        "confirm": timedelta(minutes=15), "run": timedelta(seconds=4),
    }.get(id, timedelta())  # fmt: skip
    at = {
        "repeated": "03:12", "missing": "02:00", "limited": "14:20", "acked.sil": "05:12", "undone": "03:24",
        "isover": "03:41", "taken": "18:00", "muted": "16:05", "locked": "15:00", "tooMany": "14:10",
        "who": MONDAY[language],
    }.get(id, "03:14")  # fmt: skip
    listed = OPEN[variety] if id != "list" else f"{OPEN[variety]}, {LAST_OPEN[language]}"
    listed = {"nocode": "12, 13", "start": "12, 13"}.get(id, listed)
    if id == "digest":
        listed = HIDDEN.get(language, f"db01 x12, sw3 x9, {said.more(16)}")
    who = IVAN if id in ("passed", "swap.done", "undone") else AIGUL
    return {
        "code": "17" if id == "nocode" else "12",
        "sev": WARNING[language] if id in ("unreadable", "missing") else said.severity("critical"),
        "over": said.over, "h": "{h}", "t": "{t}", "who": who[variety], "at": at, "begin": begin, "end": end,
        "n": {"digest": 37, "limited": 10, "otp.bad": 3, "run.fail": 3}.get(id, 5), "held": 37,
        "gone": said.of_them(4), "span": said.span(span), "phone": "+77172000000", "mail": "M-90417",
        "monitor": "Zabbix", "team": "dba", "rota": "facilities" if id == "who.none" else "dba-night",
        "list": listed, "text": {"otp": "mute sw* 2h", "unknown": UNKNOWN[variety]}.get(id, "restart web7"),
        "next": "cascade" if id == "op.money" else IVAN[variety], "what": "sw3", "verb": "mute",
        "whom": "marat@example.kz", "name": "ACME", "output": "active (running)", "provider": "smsc",
        "money": money(Decimal(0), "KZT"),
    }  # fmt: skip


def frame(variety: str, id: str, **changed: object) -> str:
    said = words(variety.partition("-")[0], latin="latin" in variety)
    return said.frame(id, **(sample(variety, id) | changed))


AGREED_FRAMES = [(variety, id) for variety, frames in AGREED.items() for id in frames]


@pytest.mark.parametrize("variety, id", AGREED_FRAMES)
def test_frame_says_what_was_agreed(variety: str, id: str) -> None:
    said = frame(variety, id)
    assert (said == AGREED[variety][id]["text"]) is ((variety, id) not in DIFFER)


@pytest.mark.parametrize("variety, id", AGREED_FRAMES)
def test_frame_has_the_length_and_alphabet_that_were_agreed(variety: str, id: str) -> None:
    agreed = AGREED[variety][id]
    if (variety, id) in DIFFER:
        return
    short = frame(variety, id, h="db-prod-01", t="Disk space low on /v")
    long = frame(variety, id, h="h" * 30, t="t" * 30)
    assert segment(short).encoding == segment(long).encoding == agreed["encoding"]
    assert length(short, segment(short).encoding) == agreed["n30"]
    assert length(long, segment(long).encoding) == agreed.get("n60", agreed["n30"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("id", sorted(words("en").sections["frames"]))
def test_every_frame_fits_one_segment_with_a_usual_host_and_title(language: str, id: str) -> None:
    assert len(segment(frame(language, id, h="db-prod-01", t="Disk space low on /v")).segments) == 1


@pytest.mark.parametrize("id", sorted(words("en").sections["frames"]))
@pytest.mark.parametrize("language", ["en", "ru", "kk"])
def test_frame_stands_without_a_code_and_without_a_host(language: str, id: str) -> None:
    said = frame(language, id, code="", h="", t="Disk full")
    if id.startswith(("alert", "worse", "recovery", "repeated")):
        assert not said.startswith((" ", ":"))
        assert "  " not in said
        assert " : " not in said


@pytest.mark.parametrize("language", ["ru", "kk"])
@pytest.mark.parametrize("latin", [False, True])
def test_translations_name_the_same_values_as_the_english(language: str, latin: bool) -> None:
    variety = f"{language}-latin" if latin else language
    said, english = words(language, latin=latin), words("en")
    own = AGREED[variety] if latin else read_catalogue(language)["frames"]
    assert isinstance(own, Mapping)
    for id in own:
        assert english.pattern(id).names - said.pattern(id).names - {"code"} == LEFT_OUT[variety].get(id, set()), id
        assert said.pattern(id).names <= english.pattern(id).names, id


@pytest.mark.parametrize("section", [section for section in SECTIONS if section != "frames"])
@pytest.mark.parametrize("language", ["ru", "kk"])
def test_sentences_of_mails_and_pages_name_only_values_the_english_has(language: str, section: Section) -> None:
    said, english = words(language).sections[section], words("en").sections[section]
    assert said.keys() == english.keys()
    for id, pattern in said.items():
        assert pattern.names <= english[id].names, id


def longest(names: frozenset[str]) -> dict[str, object]:
    numbers = {
        "n",
        "held",
        "people",
        "files",
        "rules",
        "rotas",
        "errors",
        "warnings",
        "days",
        "lost",
        "sent",
        "unknown",
    }
    return {name: 88888 if name in numbers else "W" * 40 for name in names}


def every_sentence() -> Iterator[tuple[str, Section, str]]:
    for language in LANGUAGES:
        for section, sentences in words(language).sections.items():
            yield from ((language, section, id) for id in sentences)


def test_every_sentence_is_filled_whole_with_the_longest_values() -> None:
    for language, section, id in every_sentence():
        pattern = words(language).sections[section][id]
        said = words(language).say(section, id, **longest(pattern.names))
        for name in pattern.names:
            assert "{" + name + "}" not in said
            assert "{" + name + "|" not in said
        assert "[[" not in said, id
        assert "]]" not in said, id
        assert said.strip() == said, id


def test_no_frame_uses_signs_that_make_a_text_dear() -> None:
    allowed = set(string.ascii_letters + string.digits + ' .,:;-+*?=()"{}[]|@/\\_') | set("әіңғүұқөһ")
    for language in LANGUAGES:
        for id, text in read_catalogue(language)["frames"].items():  # type: ignore[attr-defined]
            assert {c for c in text if not ("а" <= c.lower() <= "я" or c.lower() in "ёәіңғүұқөһ")} <= allowed, id
            assert not text.startswith("__")


def test_values_are_never_read_as_a_sentence() -> None:
    hostile = "{code} [[x]] {n|a|b}"
    assert words("en").frame("list", list=hostile) == f"Open: {hostile}"


def test_an_unknown_language_and_a_missing_sentence_are_read_in_english() -> None:
    assert words("de").frame("none") == "Nothing is open for you"
    assert words("kk").say("cli", "queue.empty") == "No messages are waiting."
    assert words("kk-KZ").frame("none") == words("kk").frame("none") == "Сізге ашық дабыл жоқ"
    with pytest.raises(KeyError):
        words("en").frame("no such frame")


@pytest.mark.parametrize(
    "n, form", [(1, 0), (21, 0), (2, 1), (24, 1), (5, 2), (11, 2), (12, 2), (14, 2), (0, 2), (111, 2)]
)
def test_russian_counts_by_last_digits(n: int, form: int) -> None:
    assert plural_ru(n) == form


def test_words_follow_their_number() -> None:
    assert "ждёт" in words("ru").frame("limited", at="14:20", held=21)
    assert "ждут" in words("ru").frame("limited", at="14:20", held=37)
    assert words("en").frame("otp.bad", n=1) == "The code does not fit. 1 try left"
    with pytest.raises(TypeError, match="must be a number"):
        words("en").frame("otp.bad", n="one")


MOMENT = datetime(2026, 11, 20, 22, 12, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")


@pytest.mark.parametrize("language, date, day", [
    ("en", "21 Nov", "Sat 03:12"), ("ru", "21 ноя", "сб 03:12"), ("kk", "21 қар", "сб 03:12"),
])  # fmt: skip
def test_times_and_dates_are_those_of_the_reader(language: str, date: str, day: str) -> None:
    said = words(language)
    assert said.clock(MOMENT, ALMATY) == "03:12"
    assert said.date(MOMENT, ALMATY) == date
    assert said.day_and_time(MOMENT, ALMATY) == day


@pytest.mark.parametrize("seconds, en, ru, kk, ago", [
    (-5, "0 s", "0 с", "0 с", "0s ago"),
    (59, "59 s", "59 с", "59 с", "59s ago"),
    (29 * 60, "29 min", "29 мин", "29 мин", "29m ago"),
    (119 * 60, "119 min", "119 мин", "119 мин", "119m ago"),
    (26 * 3600 + 5, "26 h", "26 ч", "26 сағ", "26h ago"),
    (48 * 3600, "2 d", "2 д", "2 күн", "2d ago"),
])  # fmt: skip
def test_spans_are_one_number_and_one_unit(seconds: int, en: str, ru: str, kk: str, ago: str) -> None:
    span = timedelta(seconds=seconds)
    assert (words("en").span(span), words("ru").span(span), words("kk").span(span)) == (en, ru, kk)
    assert words("en").ago(span) == ago


def test_ago_is_said_in_the_language() -> None:
    assert words("ru").ago(timedelta(hours=26)) == "26ч назад"
    assert words("kk").ago(timedelta(hours=26)) == "26сағ бұрын"
    assert words("ru", latin=True).span(timedelta(minutes=5)) == "5 min"


def test_kazakh_counts_people_and_things_by_words() -> None:
    assert words("kk").of_them(4) == "төртеуі"
    assert words("kk").of_them(40) == "40"
    assert words("en").of_them(4) == "4"


@pytest.mark.parametrize("amount, shown", [("18", "18.00 KZT"), ("0.0750", "0.0750 KZT"), ("12.5", "12.50 KZT")])
def test_money_keeps_the_decimals_of_its_price(amount: str, shown: str) -> None:
    assert money(Decimal(amount), "KZT") == shown


@pytest.mark.parametrize("phone, shown", [
    ("+77011234567", "+7 701 ••• 45 67"), ("+4915112345678", "+49 151 ••• 56 78"),
    ("+998901234567", "+998 901 ••• 45 67"),
    ("+12345", "•••"),
])  # fmt: skip
def test_a_masked_phone_cannot_be_rung(phone: str, shown: str) -> None:
    assert masked(phone) == shown
