"""Texts: every variable, every filter, languages, values of ``set``, template files."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from bridge.errors import ConfigError
from bridge.model import Event
from bridge.render.filters import FILTERS
from bridge.render.texts import RenderFailed, compile_text, compile_value, load_template, plain, plain_pieces, render
from bridge.render.variables import VALUES, Variables
from bridge.sms.fit import fit
from bridge.sms.pieces import CODE, HOST, Piece

Said = Callable[..., str]
NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")


@pytest.mark.parametrize("name, shown", [
    ("source", "zabbix"), ("producer", "zabbix-mail"), ("host", "db01"), ("fqdn", "db01.shop.example"),
    ("service", "disk"),
    ("severity", "critical"), ("state", "problem"), ("key", "z/17"), ("title", "Нет места на /data"),
    ("detail", "97 % used"),
    ("labels.rack", "r7"), ('labels["a-b"]', "dash"), ("labels.absent", ""), ("count", "3"), ("since", "05:15"),
    ("age", "26 h"), ("now", "07:15"), ("person", "Айгуль"), ("rule", "databases at night"), ("code", "12"),
    ("list", "db01 x2, web7, +4"), ("events", ""), ("labels", ""), ("call_to_ack", "+77172000000"),
    ("subject", "Problem: Disk full"), ("from", "zabbix@shop.example"), ("text", "The whole mail"),
    ("carrier_text", "(Problem: Disk full) The whole mail"), ("m.value", "4.1 bar"), ("m.absent", ""),
])  # fmt: skip
def test_prints_every_variable(said: Said, name: str, shown: str) -> None:
    assert said("<{{ " + name + " }}>") == f"<{shown}>"


@pytest.mark.parametrize("source, shown", [
    ("{{ title | shrink }}", "Нет места на /data"),
    ("{{ title | shrink(2) | upper }}", "НЕТ МЕСТА НА /DATA"),
    ("{{ title | keep }}", "Нет места на /data"),
    ("{{ title | translit }}", "Net mesta na /data"),
    ("{{ title | shrink(3) | translit | lower }}", "net mesta na /data"),
    ("{{ '№ 5 — ok 日' | gsm | replace('日', '') }}", None),
    ("{{ fqdn | host }}", "db01"),
    ("{{ host | host }}", "db01"),
    ("{{ fqdn | shrink(1) | host }}", "db01"),
    ("{{ since | ago }}", "26h ago"),
    ("{{ since | hm }} {{ now | hm }}", "05:15 07:15"),
    ("{{ title | short(12) }}", "Нет места.."),
    ("{{ title | shrink | short(12) }}", "Нет места.."),
    ("{{ source | upper }}{{ 'ÄB' | lower }}", "ZABBIXäb"),
    ("{{ title | replace('места', 'space') }}", "Нет space на /data"),
    ("{{ title | replace('', 'x') }}", "Нет места на /data"),
    ("{{ labels.zone | default('none') }}", "none"),
    ("{{ labels.zone | default(host) }}", "db01"),
    ("{{ labels.rack | default('none') | upper }}", "R7"),
    ("{{ count + 1 }} {{ count - 1 }} {{ host ~ '!' }}", "4 2 db01!"),
    ("{% if count > 1 and state == 'problem' and not labels.zone %}x{{ count }}{% else %}one{% endif %}", "x3"),
    ("{{ 'a' if severity in ['high', 'critical'] else 'b' }}", "a"),
    ("{% for e in events %}{{ loop.index }} {{ e.host }} {{ e.labels.rack }}{{ ', ' if loop.first }}{% endfor %}",
     "1 db01 r7, 2 db01 r7"),
    ("{% for e in events if e.severity == 'info' %}{{ e.title }}{% else %}none{% endfor %}", "none"),
    ("{% set what = title | upper %}{{ what }}", "НЕТ МЕСТА НА /DATA"),
    ("{{ count is odd }} {{ what is defined }}", "True False"),
    ("{# a remark #}{% raw %}{{ host }}{% endraw %}", "{{ host }}"),
])  # fmt: skip
def test_filters_and_statements_compose(said: Said, source: str, shown: str | None) -> None:
    found = said(source)
    assert found == shown if shown is not None else found.isascii()


def test_gsm_leaves_nothing_that_would_make_a_text_dear(said: Said, variables: Variables) -> None:
    event = replace(variables.event, title="№ 5 «Ёж» ™ 日本 🔥 €")
    shown = said("{{ title | gsm }}", replace(variables, event=event))
    assert fit((Piece(shown),), 1, "keep").encoding == "GSM-7"
    assert "€" in shown


def test_short_keeps_the_head_even_of_one_long_word(said: Said, variables: Variables) -> None:
    event = replace(variables.event, title="w" * 100)
    assert said("{{ title | short(20) }}", replace(variables, event=event)) == "w" * 18 + ".."


def test_shrink_makes_pieces_that_give_way(variables: Variables) -> None:
    text = compile_text("{{ host }} {{ title | shrink(2) }}{{ detail | shrink }}. {{ code }} ok", "here")
    assert render(text, variables, language="en", zone=ALMATY, now=NOW) == (
        Piece("db01", HOST),
        Piece(" "),
        Piece("Нет места на /data", 2),
        Piece("97 % used", 1),
        Piece(". "),
        Piece("12", CODE),
        Piece(" ok"),
    )


@pytest.mark.parametrize("language, otherwise, shown", [
    ("kk", "", "K"), ("ru", "", "R"), ("de", "kk", "K"), ("de", "", "R"), ("de", "uk", "R"),
])  # fmt: skip
def test_speaks_the_language_of_the_person_then_the_given_then_the_first(
    variables: Variables, language: str, otherwise: str, shown: str
) -> None:
    text = compile_text({"ru": "R", "kk": "K"}, "here")
    found = render(text, variables, language=language, otherwise=otherwise, zone=ALMATY, now=NOW)
    assert found == (Piece(shown),)


def test_spans_are_said_in_the_language_of_the_text(variables: Variables, said: Said) -> None:
    source = {"ru": "{{ since | ago }}", "kk": "{{ since | ago }}"}
    assert said(source, language="kk") == "26сағ бұрын"
    assert said(source, language="de") == "26ч назад"
    assert said("{{ age }}", language="ru") == "26 ч"


def test_an_event_without_a_begin_began_now(said: Said, variables: Variables) -> None:
    assert said("{{ since }} {{ age }}", replace(variables, since=None)) == "07:15 0 s"


@pytest.mark.parametrize("source, problem", [
    ("{{ servce }}", "here: 'servce' is not known; did you mean 'service'?"),
    ("{{ title | shrnk }}", "here: there is no filter 'shrnk'; did you mean 'shrink'?"),
    ("{{ count is od }}", "here: there is no test 'od'; did you mean 'odd'?"),
    ("{% for e in events %}{{ e.hots }}{% endfor %}", "here: 'hots' is not known; did you mean 'host'?"),
    ("{{ title | short(2) }}", "here: short takes a number from 4 to 1000"),
    ("{{ title | shrink(0) }}", "here: shrink takes a number from 1 to 9"),
    ("{{ title | short }}", "here: short is written short(40)"),
    ("{{ title | ago }}", "here: ago is for times: {{ since | ago }}"),
    ("{{ host", "here: unexpected end of template, expected 'end of print statement'"),
    ("a\nb {{ hst }}\n", "here: 'hst' is not known; did you mean 'host'? (line 2 of the text)"),
])  # fmt: skip
def test_a_mistake_is_named_with_its_remedy(source: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        compile_text(source, "here")
    assert caught.value.problems == (problem,)


def test_all_mistakes_of_all_languages_are_named_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        compile_text({"ru": "{{ a1 }} {{ title | b1 }}", "kk": "{{ c1 }}"}, "rules/web.yaml:33:9 text")
    assert [problem.split(" ")[1] for problem in caught.value.problems] == ["text.ru:", "text.ru:", "text.kk:"]


def test_a_text_that_fails_says_why_and_where(variables: Variables) -> None:
    text = compile_text("{{ 'x' if title > count else 'y' }}", "rules/web.yaml:3:9 text")
    with pytest.raises(RenderFailed, match="not supported between") as caught:
        render(text, variables, language="en", zone=ALMATY, now=NOW)
    assert caught.value.place == "rules/web.yaml:3:9 text"


def test_the_plain_text_is_host_and_title(event: Event) -> None:
    assert plain(event) == "db01: Нет места на /data"
    assert plain(replace(event, host="")) == "Нет места на /data"
    assert plain(replace(event, title="\ufdd1x{{ y }}\ufdef")) == "db01: x{{ y }}"
    assert plain(replace(event, host="", title="")) == "zabbix-mail"
    assert plain_pieces(event) == (Piece("db01", HOST), Piece(": "), Piece("Нет места на /data", 1))
    assert plain_pieces(replace(event, title="")) == (Piece("db01", HOST),)
    assert plain_pieces(replace(event, host="")) == (Piece("Нет места на /data", 1),)


@pytest.mark.parametrize("source, fields, shown", [
    ("{{ labels.alertname }}/{{ host }}", {"labels": {"alertname": "NodeDown"}, "host": "w1.kz"}, "NodeDown/w1.kz"),
    ("fridge/{{ m.no }}", {"m": {"no": "3"}}, "fridge/3"),
    ("{{ m.no }}{{ labels.x }}{{ title }}", {}, ""),
    (" {{ fqdn | host }} ", {"host": "w1.dc.example"}, "w1"),
    ("{{ title | shrink | upper }}", {"title": "a\ufdd1b"}, "AB"),
    ("oxygen", {}, "oxygen"),
])  # fmt: skip
def test_a_value_is_plain_text_of_the_event(source: str, fields: dict[str, object], shown: str) -> None:
    assert compile_value(source, "key")(fields) == shown


@pytest.mark.parametrize("name", ["code", "count", "person", "events", "since"])
def test_a_value_knows_nothing_of_incidents_and_people(name: str) -> None:
    with pytest.raises(ConfigError, match=f"'{name}' is not known"):
        compile_value("{{ " + name + " }}", "key")


def test_a_template_comes_by_language_from_its_folder(tmp_path: Path, variables: Variables) -> None:
    (tmp_path / "night.kk.j2").write_text("K {{ rule }}\n", encoding="utf-8")
    (tmp_path / "night.j2").write_text("N {{ rule }}\n", encoding="utf-8")
    text = load_template(tmp_path, "night")
    assert render(text, variables, language="kk", zone=ALMATY, now=NOW) == (Piece("K databases at night"),)
    assert render(text, variables, language="ru", zone=ALMATY, now=NOW) == (Piece("N databases at night"),)


def test_a_mistake_in_a_template_has_file_line_and_column(tmp_path: Path) -> None:
    (tmp_path / "night.j2").write_text("one\ntwo\n{{ host }} {{ servce }}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_template(tmp_path, "night")
    assert caught.value.problems == (f"{tmp_path}/night.j2:3:15 'servce' is not known; did you mean 'service'?",)


@pytest.mark.parametrize("name", ["../secret", "a/b", "", "..", ".", "/etc/passwd", "a\0b", "*", "night.kk"])
def test_T17_a_template_never_leaves_its_folder(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret.j2").write_text("secret", encoding="utf-8")
    with pytest.raises(ConfigError):
        load_template(folder, name, "rules/a.yaml:3:5")


def test_T17_a_link_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "templates"
    folder.mkdir()
    (tmp_path / "secret.j2").write_text("secret", encoding="utf-8")
    (folder / "night.j2").symlink_to(tmp_path / "secret.j2")
    with pytest.raises(ConfigError, match="a link out of"):
        load_template(folder, "night")


def test_a_missing_or_unreadable_template_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"rules/a.yaml:3:5: no template night in"):
        load_template(tmp_path, "night", "rules/a.yaml:3:5")
    (tmp_path / "night.j2").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ConfigError, match="cannot be read as UTF-8"):
        load_template(tmp_path, "night")


def test_the_worked_texts_say_what_their_cases_expect(said: Said, variables: Variables) -> None:
    assert said("{{ host }} {{ title | shrink(2) }}. Ответ: {{ code }} ok") == "db01 Нет места на /data. Ответ: 12 ok"
    given = replace(variables, since=NOW - timedelta(hours=26))
    assert said("{{ host }}: no backup mail, last {{ since | ago }}", given) == "db01: no backup mail, last 26h ago"
    alert = (
        '{%- if state == "recovery" %}OK {% endif %}{{ host | host }} {{ title | shrink(2) }}'
        "{% if count > 1 %} x{{ count }}{% endif %}{% if code %} {{ code }}{% endif %}\n"
    )
    assert said(alert) == "db01 Нет места на /data x3 12"
    assert said(alert, replace(variables, count=1, code="")) == "db01 Нет места на /data"
    assert said("a{% if code %}!{% endif %}\nb") == "a!\nb"


def test_the_reference_names_every_variable_and_filter() -> None:
    page = (Path(__file__).parents[3] / "docs/reference/templates.md").read_text(encoding="utf-8")
    variables_of_page, _, rest = page.partition("## Filters")
    filters_of_page = rest.partition("## Statements")[0]
    for name in VALUES:
        assert f"`{name}`" in variables_of_page or f"`{name}." in variables_of_page, name
    for name in FILTERS:
        assert f"`{name}`" in filters_of_page or f"`{name}(" in filters_of_page, name
