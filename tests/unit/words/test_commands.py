"""What people type, and what must never be taken for a command."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.words.commands import Command, read_command
from bridge.words.vocabulary import Verb, built_in, fold, one_slip, with_more


def read(text: str, language: str = "ru") -> Command:
    return read_command(text, language)


@pytest.mark.parametrize("text", [
    "Ok", "OK.", "ok!", "0k", "оk", "oк", "0к", "окей", "окк", "okkk", "o.k.", "о.к.", "o.k", "prinyal", "prinjal",
    "принл",
    "кабылдадым", "кабылдадм", "+", "👍", "👍🏽", "ok thanks", "ok 👍🙏", "да", "иә", "иа", "ок!!!", "ok)", "Ок\n",
    "ｏｋ",
    "o\u200bk", "ok\u202e", "ok\n> 12 CRIT db01: Disk full. Reply 12 ok", "jr", "щл", "фсл", "ghbyzkf", ",the",
    ",the!", "lf",
])  # fmt: skip
def test_reads_an_ack_without_a_code(text: str) -> None:
    command = read(text)
    assert (command.kind, command.verb, command.codes) == ("command", "ok", ())
    assert not command.asked


@pytest.mark.parametrize("text", [
    "12ок", "ок12", "№12 ок", "#12 ok", "12. ok", "12 - ок", "12 щл", "jr 12", "ghbyzk 12", "12 фсл", "12+",
    "12 👍", "+12",
    "120k", "12 0к", "12:ok", "ok #12", "ok, 12", ",the 12", "12 ,the", "ok\n12", "12 ок ок", "12 принял",
    "12 ok, спасибо",
])  # fmt: skip
def test_reads_an_ack_with_its_code(text: str) -> None:
    command = read(text)
    assert (command.kind, command.verb, command.codes) == ("command", "ok", ("12",))


@pytest.mark.parametrize("text", ["12 13 ок", "12, 13 ok", "12 и 13 ок", "ok 12 and 13", "12/13 ok", "ok 12,13"])
def test_reads_every_code_that_was_named(text: str) -> None:
    assert read(text).codes == ("12", "13")


@pytest.mark.parametrize(
    "text, verb", [("ok?", "status"), ("12 ok?", "status"), ("ок? 12", "status"), ("12?", "status")]
)
def test_a_question_is_answered_and_changes_nothing(text: str, verb: Verb) -> None:
    command = read(text)
    assert (command.verb, command.asked) == (verb, True)


@pytest.mark.parametrize("text, kind", [
    ("не ок", "unknown"), ("not ok", "unknown"), ("не принял", "unknown"), ("ок нет", "which"), ("да нет", "which"),
    ("ok no", "which"), ("ок емес", "which"), ("ок не", "which"), ("alдым", "which"), ("done", "which"),
    ("готово", "which"),
    ("nope", "unknown"), ("stap", "unknown"), ("stat", "unknown"), ("disk ok plz", "unknown"), ("", "empty"),
    (" \n", "empty"),
    ("> 12 CRIT db01: Disk full. Reply 12 ok", "empty"), ("----- Original\nok", "empty"), ("!", "empty"),
    ("12 CRIT db01: Disk full. Reply 12 ok", "unknown"), ("on my way", "words"), ("ok12345678", "words"),
    ("Thank you for your message, ok. I am away until Monday", "words"), ("есть вопрос по базе", "words"),
    ("k 12 i come", "unknown"), ("к 12 приеду", "words"), ("K8S is down", "words"), ("text", "words"),
    ("fine weather today", "words"),
    ("да не знаю я что там случилось", "which"),
])  # fmt: skip
def test_does_not_ack(text: str, kind: str) -> None:
    command = read(text)
    assert command.verb is None
    assert command.kind == kind


def test_a_code_alone_asks_for_its_status() -> None:
    assert read("12") == Command("command", "status", ("12",), language="ru")


@pytest.mark.parametrize("text", ["１２ ok", "١٢ ok", "12² ok", "𝟏𝟐 ok", "Ⅻ ok", "①② ok"])
def test_T23_digits_of_other_scripts_are_no_codes(text: str) -> None:
    assert read(text).codes == ()
    assert read(text).verb is None


@given(st.text(max_size=60), st.sampled_from(["en", "ru", "kk"]))
def test_T23_any_text_is_read_and_codes_are_ascii(text: str, language: str) -> None:
    command = read_command(text, language)
    assert all(code.isascii() and code.isdigit() for code in command.codes)
    assert (command.verb is None) == (command.kind != "command")


@pytest.mark.parametrize("text, rest", [
    ("ок, смотрю", "смотрю"), ("12 ok буду через 15 минут", "буду через 15 минут"), ("ok 15 min", "15 min"),
    ("ок 12 это сеть", "это сеть"), ("да, еду", "еду"), ("12 ok.\nOn my way", "On my way"),
])  # fmt: skip
def test_what_follows_an_ack_is_kept_as_a_remark(text: str, rest: str) -> None:
    command = read(text)
    assert (command.verb, command.rest) == ("ok", rest)


@pytest.mark.parametrize("text, verb, codes, rest", [
    ("12 un", "un", ("12",), ""), ("отмена 12", "un", ("12",), ""), ("12 esc", "esc", ("12",), ""),
    ("не могу", "esc", (), ""), ("can't", "esc", (), ""), ("алмаймын", "esc", (), ""), ("нет, не могу", "esc", (), ""),
    ("қолым тимейді", "esc", (), ""), ("ytn 12", "esc", ("12",), ""), ("12 close", "close", ("12",), ""),
    ("list", "list", (), ""), ("список", "list", (), ""), ("тізім", "list", (), ""), ("cgbcjr", "list", (), ""),
    ("status 12", "status", ("12",), ""), ("who", "who", (), ""), ("кто дежурный", "who", (), ""),
    ("take 4h", "take", (), "4h"), ("take 4 h", "take", (), "4 h"), ("дежурю до 8:00", "take", (), "до 8:00"),
    ("swap ivan", "swap", (), "ivan"), ("swap ok", "swap", (), "ok"), ("swap no", "swap", (), "no"),
    ("mute sw3 2h", "mute", (), "sw3 2h"), ("mute 12 2h", "mute", ("12",), "2h"), ("тихо sw3 2ч", "mute", (), "sw3 2ч"),
    ("unmute sw3", "unmute", (), "sw3"), ("note 12 disk is old", "note", ("12",), "disk is old"),
    ("12 note see 123456", "note", ("12",), "see 123456"), ("help", "help", (), ""), ("?", "help", (), ""),
    ("помощ", "help", (), ""), ("start", "start", (), ""), ("run restart web7", "run", (), "restart web7"),
    ("run fence 12", "run", (), "fence 12"), ("stop", "stop", (), ""), ("стоп!", "stop", (), ""),
    ("тоқта", "stop", (), ""),
])  # fmt: skip
def test_reads_every_verb_with_what_belongs_to_it(text: str, verb: Verb, codes: tuple[str, ...], rest: str) -> None:
    command = read(text)
    assert (command.kind, command.verb, command.codes, command.rest) == ("command", verb, codes, rest)


@pytest.mark.parametrize("text", ["12 stop", "стоп 12"])
def test_stop_with_a_code_is_asked_back(text: str) -> None:
    assert (read(text).kind, read(text).choices, read(text).codes) == ("which", ("ok", "stop"), ("12",))


@pytest.mark.parametrize("text", ["stop calling me", "stop the alerts please", "stop it now"])
def test_stop_is_an_outage_and_so_only_a_bare_word(text: str) -> None:
    assert read(text).verb is None


@pytest.mark.parametrize("text, right", [
    ("ok", "ack"), ("un 12", "ack"), ("ack all", "ack all"), ("принял все", "ack all"), ("list", "status"),
    ("esc", "esc"),
    ("hello there", ""),
])  # fmt: skip
def test_names_the_right_it_wants(text: str, right: str) -> None:
    assert read(text).right == right


@pytest.mark.parametrize("text, verb, rest, code", [
    ("10 ok 123456", "ok", "", "123456"), ("mute sw* 2h 123456", "mute", "sw* 2h", "123456"),
    ("run fence-atm ATM0042 123456", "run", "fence-atm ATM0042", "123456"), ("10 ok", "ok", "", ""),
])  # fmt: skip
def test_T32_a_one_time_code_stands_at_the_end(text: str, verb: Verb, rest: str, code: str) -> None:
    command = read(text)
    assert (command.verb, command.rest, command.one_time_code) == (verb, rest, code)


def test_longer_codes_are_read_when_they_are_used() -> None:
    assert read_command("123456 ok", "en", code_length=6).codes == ("123456",)
    assert read_command("ok 123456", "en", code_length=6).one_time_code == ""
    assert read_command("1200k", "en", code_length=3).codes == ("120",)


@pytest.mark.parametrize(
    "text", ["\n" * 20000, "> " * 10000, "1 " * 10000, "ok " * 10000, ",a " * 7000, "о" * 20000, "0" * 20000]
)
def test_T19_a_hostile_text_is_read_in_no_time(text: str) -> None:
    begin = time.perf_counter()
    read(text)
    assert time.perf_counter() - begin < 2


FORMS = sorted(built_in().forms.items())
SLIPS = dict(
    pair.split("=")
    for pair in (
        "ок=jr да=lf принял=ghbyzk приняла=ghbyzkf беру=,the есть=tcnm отмена=jnvtyf нет=ytn дальше=lfkmit "
        "передай=gthtlfq список=cgbcjr статус=cnfnec кто=rnj помощь=gjvjom ok=щл okay=щлфн ack=фсл ackn=фслт "
        "yes=нуы yep=нуз mine=ьшту "
        "got=пще seen=ыуут taking=ефлштп esc=уыс no=тщ cant=сфте next=туче pass=зфыы busy=игын un=гт unack=гтфсл "
        "undo=гтвщ list=дшые open=щзут who=црщ oncall=щтсфдд status=ыефегы info=штащ help=рудз mute=ьгеу take=ефлу "
        "cover=сщмук"
    ).split()
)


@pytest.mark.parametrize("form, verb", FORMS)
def test_every_form_is_its_command(form: str, verb: Verb) -> None:
    for text in (form, form.upper(), f"  {form}. "):
        command = read(text)
        assert command.verb == verb, text
    if verb not in ("stop", "help"):
        assert read(f"12 {form}").verb == verb


@pytest.mark.parametrize("form, slip", SLIPS.items())
def test_the_other_keyboard_layout_is_the_word_itself(form: str, slip: str) -> None:
    assert built_in().exact(slip) == built_in().exact(form) is not None


def test_no_form_and_no_slip_belongs_to_two_commands() -> None:
    vocabulary = built_in()
    slipped = {slip: verb for slip, verb in vocabulary.slips.items() if slip in vocabulary.forms}
    assert slipped == {}
    assert len(vocabulary.forms) > 200


def test_one_typo_never_reads_one_command_as_another() -> None:
    """All slips of all words: what comes out is the same command, or none."""
    vocabulary = built_in()
    for form, verb in vocabulary.forms.items():
        if len(form) < 4:
            continue
        for i in range(len(form)):
            for typed in (
                form[:i] + form[i + 1 :],
                form[:i] + "x" + form[i + 1 :],
                form[:i] + form[i : i + 2][::-1] + form[i + 2 :],
            ):
                found = vocabulary.find(typed)
                if found.sure and verb in ("ok", "esc"):
                    assert {found.verbs[0], verb} != {"ok", "esc"}, (form, typed)
                if found.sure and found.typo:
                    assert found.verbs == (verb,), (form, typed)


def test_a_word_between_having_it_and_not_having_it_is_asked_back() -> None:
    vocabulary = with_more({"esc": ["allдым", "алдын"]})
    assert vocabulary.find("алдыв").verbs == ("ok", "esc")
    assert vocabulary.find("алдыв").ask_back


@pytest.mark.parametrize("typed", ["ock", "nno", "onk", "oj", "lst", "wh"])
def test_short_words_are_taken_exactly(typed: str) -> None:
    assert not built_in().find(typed).typo


def test_more_words_join_and_a_word_for_two_verbs_is_refused() -> None:
    vocabulary = with_more({"ok": ["Jawohl"], "esc": ["nein"]})
    assert read_command("12 jawohl", "en", vocabulary).verb == "ok"
    assert read_command("nein", "en", vocabulary).verb == "esc"
    with pytest.raises(Exception, match='"нет" is a word of esc already'):
        with_more({"ok": ["нет"]})


@pytest.mark.parametrize("a, b, near", [
    ("ack", "ack", True), ("acks", "ack", True), ("akc", "ack", True), ("ark", "ack", True), ("ac", "ack", True),
    ("arkk", "ack", False), ("kca", "ack", False), ("", "ab", False), ("abcd", "abdc", True), ("bacd", "abdc", False),
])  # fmt: skip
def test_one_slip_is_one_letter(a: str, b: str, near: bool) -> None:
    assert one_slip(a, b) is one_slip(b, a) is near


def test_folding_drops_what_makes_no_difference() -> None:
    assert fold("Can’t") == fold("ＣＡＮＴ") == "cant"
