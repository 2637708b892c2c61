from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.sms import gsm7
from bridge.sms.clean import strip_hidden
from bridge.sms.translit import spoken, translit, translit_pieces, typography


@pytest.mark.parametrize(
    "cyrillic, latin",
    [
        # The hand-written frames and what they were made from.
        ("12 АВАРИЯ db1: disk. Ответ: 12 ок", "12 AVARIYA db1: disk. Otvet: 12 ok"),
        ("12 снова x5: с 03:12", "12 snova x5: s 03:12"),
        ("12 НОРМА, через 30 мин", "12 NORMA, cherez 30 min"),
        ("12 принято. Отмена: 12 un", "12 prinyato. Otmena: 12 un"),
        ("До 14:20 лимит SMS: 10 за 15 мин. 37 ждут сводки", "Do 14:20 limit SMS: 10 za 15 min. 37 zhdut svodki"),
        ("Какой? 13 касса-04 связь. Например: 12 ок", "Kakoj? 13 kassa-04 svyaz. Naprimer: 12 ok"),
        ('Непонятно: "диск ок плиз". помощь', 'Neponyatno: "disk ok pliz". pomosch'),
        ("Добавьте одноразовый код", "Dobavte odnorazovyj kod"),
        ("SMS на этот номер выключены. Включить: START", "SMS na etot nomer vyklyucheny. Vklyuchit: START"),
        ("взять, дальше, список, кто", "vzyat, dalshe, spisok, kto"),
        ("съезд, цех, чаща, хлеб, ёж, щука, Юля", "sezd, tseh, chascha, hleb, yozh, schuka, Yulya"),
    ],
)
def test_russian_reads_as_people_type_it(cyrillic: str, latin: str) -> None:
    assert translit(cyrillic) == latin
    assert translit(cyrillic, "ru") == latin


@pytest.mark.parametrize(
    "cyrillic, latin",
    [
        ("12 АПАТ db1: disk. Жауап: 12 ок", "12 APAT db1: disk. Jauap: 12 ok"),
        ("12 тағы x5, басы 03:12", "12 tagy x5, basy 03:12"),
        ("12 ҚАЛЫПТЫ, 30 мин кейін", "12 QALYPTY, 30 min keiin"),
        ("12 қабылданды. Болдырмау: 12 un", "12 qabyldandy. Boldyrmau: 12 un"),
        ("14:20 дейін SMS шегі. 37 дабыл күтуде", "14:20 deiin SMS shegi. 37 dabyl kutude"),
        ("АПАТ бірден келеді", "APAT birden keledi"),
        ("Қайсысы? 13 касса-04 байланыс. Мысалы: 12 ок", "Qaisysy? 13 kassa-04 bailanys. Mysaly: 12 ok"),
        ("Түсініксіз. Мысалы: тізім, көмек", "Tusiniksiz. Mysaly: tizim, komek"),
        ("12 ок алу, 12 жоқ басқаға, тізім, кім", "12 ok alu, 12 joq basqaga, tizim, kim"),
        ("Бір реттік кодты қосыңыз", "Bir rettik kodty qosynyz"),
        ("Бұл нөмірге SMS өшірілді. Топ хабардар. Қосу: START", "Bul nomirge SMS oshirildi. Top habardar. Qosu: START"),
        ("Әр үйдің һәм", "Ar uidin ham"),
    ],
)  # fmt: skip
def test_kazakh_reads_as_people_type_it(cyrillic: str, latin: str) -> None:
    assert translit(cyrillic, "kk") == latin


@pytest.mark.parametrize(
    "cyrillic, latin",
    [
        ("Сервер не відповідає", "Server ne vidpovidaye"),
        ("Київ, об’єкт, ґанок, щит, гість", "Kyiv, ob'yekt, ganok, shchyt, hist"),
        ("Харків: їжа", "Kharkiv: izha"),
    ],
)
def test_ukrainian_reads_as_people_type_it(cyrillic: str, latin: str) -> None:
    assert translit(cyrillic) == latin


@pytest.mark.parametrize(
    "text, language, table",
    [
        ("Жауап", "", "ru"),
        ("Жауап", "kk", "kk"),
        ("Жауап қабылданды", "ru", "kk"),
        ("Київ", "kk", "uk"),
        ("кейін", "", "kk"),
        ("кейін", "uk", "uk"),
        ("disk", "de", "ru"),
    ],
)
def test_letters_of_the_text_beat_the_language_of_the_person(text: str, language: str, table: str) -> None:
    assert spoken(text, language) == table


def test_capitals_follow_the_word() -> None:
    assert translit("ЩИТ Щит щит Я ЮЖНАЯ Юг ЖК «Ж»") == 'SCHIT Schit schit Ya YUZHNAYA Yug ZHK "Zh"'


def test_touches_only_what_gsm_lacks() -> None:
    held = "£5 €7 ñ Ä ö Δ [a] {b} ~^|\\ @_"
    assert translit(held) == held
    assert translit(f"{held} диск ç") == f"{held} disk c"


@pytest.mark.parametrize(
    "text, plain",
    [
        ("«Disk» “full” „now‟ it’s ‘so’ `x`", '"Disk" "full" "now" it\'s \'so\' \'x\''),
        ("a – b — c − d ‑ e · f", "a - b - c - d - e - f"),
        ("wait…", "wait.."),
        ("x5 × 3 • № 7", "x5 x 3 * N 7"),
        ("1\xa0000\u202fKZT\u2009!", "1 000 KZT !"),
        ("a → b ← c ≥ 5 ≤ 6 ≠ 7 ± 1", "a -> b <- c >= 5 <= 6 != 7 +- 1"),
        ("85°C 90 °F 45° µs m² 100₸", "85C 90 F 45deg us m2 100KZT"),
        ("Диск «C» – 5 № 3…", 'Диск "C" - 5 N 3..'),
        ("plain £ € [x]", "plain £ € [x]"),
    ],
)
def test_typography_is_folded_as_on_a_typewriter(text: str, plain: str) -> None:
    assert typography(text) == plain


@pytest.mark.parametrize(
    "text, plain",
    [
        ("[db] [🔴 Down] no answer", "[db] [Down] no answer"),
        ("[db] [✅ Up] 200", "[db] [Up] 200"),
        ("[✓ Up]", "[Up]"),
        ("Backup ❌", "Backup x"),
        ("✅ web1, ✗ web2", "ok web1, x web2"),
        ("⚠️ disk 🔥🔥 hot", "disk hot"),
        ("🔥", ":fire:"),
        ("\u0301", "?"),
        ("\u0301 \u0302", "?"),
        ("", ""),
        ("北京 db", "BeiJing db"),
        ("a\tя\x07", "a ya"),
    ],
)
def test_emoji_go_but_no_text_becomes_empty(text: str, plain: str) -> None:
    assert translit(text) == plain


def test_decomposed_letters_are_read_whole() -> None:
    assert translit("и\u0306од е\u0308ж") == "jod yozh"


def test_pieces_are_read_as_one_text() -> None:
    assert translit_pieces(["Жауап ", "", "қате 🔥"]) == ["Jauap ", "", "qate "]
    assert translit_pieces(["🔥", "disk"]) == ["", "disk"]
    assert translit_pieces(["\u0301", "\u0302"]) == ["?", ""]


@given(st.text() | st.text(st.sampled_from("яЖқіїЩ «»№…°Cç🔥✅[🇰🇿\u0301\u200d\x00`a")))
def test_result_always_is_gsm_and_never_lost(text: str) -> None:
    plain = translit(text)
    assert gsm7.can_encode(plain)
    assert plain.strip() or not strip_hidden(text).strip()
    assert translit(plain) == plain
    if gsm7.can_encode(text):
        assert plain == text
