"""T17 and T18: nothing a mail contains is a template, and no template harms the host."""

from __future__ import annotations

import ast
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bridge.render
from bridge.errors import ConfigError
from bridge.model import Event
from bridge.render.filters import FILTERS, MOST_WORK
from bridge.render.sandbox import sandbox
from bridge.render.texts import RenderFailed, compile_text, compile_value, render
from bridge.render.variables import Variables
from bridge.sms.pieces import CODE, HOST, Piece

Said = Callable[..., str]
NOW = datetime(2026, 11, 21, 2, 15, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")

# Escapes as they are published for Jinja, and our own tries.
INJECTIONS = [
    "{{ 7*7 }}", "{{7*'7'}}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{% raw %}{{ 7*7 }}{% endraw %}", "{{ config }}",
    "{{ config.items() }}", "{{ self }}", "{{ self.__init__.__globals__ }}", "{{ ''.__class__ }}",
    "{{ ''.__class__.__mro__[1].__subclasses__() }}", "{{ ().__class__.__bases__[0].__subclasses__() }}",
    "{{ [].__class__.__base__.__subclasses__()[40]('/etc/passwd').read() }}", "{{ request.application.__globals__ }}",
    "{{ request['application']['__globals__']['__builtins__']['__import__']('os').popen('id').read() }}",
    "{{ lipsum.__globals__['os'].popen('id').read() }}", "{{ lipsum.__globals__.os.popen('id').read() }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ joiner.__init__.__globals__.os.popen('id').read() }}",
    "{{ namespace.__init__.__globals__.os.popen('id').read() }}", "{{ get_flashed_messages.__globals__ }}",
    "{{ url_for.__globals__ }}", "{{ host.__class__ }}", "{{ host['__class__'] }}", "{{ host|attr('__class__') }}",
    "{{ host|attr('\\x5f\\x5fclass\\x5f\\x5f') }}", "{{ title.format }}", "{{ title.format(title) }}",
    "{{ '{0.__class__}'.format(title) }}", "{{ '%s' % title }}", "{{ labels.__class__ }}", "{{ labels._values }}",
"{{ labels['__class__'] }}", "{{ events[0] }}", "{{ events.append(1) }}",
    "{{ events|map(attribute='__class__')|list }}", "{{ events|selectattr('x')|list }}", "{{ events|groupby('host') }}",
    "{{ title|tojson }}", "{{ title|safe }}", "{{ title|pprint }}", "{{ title|xmlattr }}", "{{ title|format }}",
    "{% include '/etc/passwd' %}", "{% import 'x' as x %}", "{% from 'x' import y %}", "{% extends 'x' %}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{% call m() %}{% endcall %}", "{% block b %}{% endblock %}",
    "{% set x %}{{ title }}{% endset %}", "{% with x = title %}{{ x }}{% endwith %}",
    "{% filter upper %}x{% endfilter %}",
    "{% set ns = namespace(x=1) %}", "{% set _x = title %}", "{% set labels = title %}", "{% set a, b = title %}",
    "{% set ns.x = 1 %}", "{% for k in labels %}{{ k }}{% endfor %}", "{% for a in events recursive %}{% endfor %}",
    "{% for c in title %}{{ c }}{% endfor %}", "{% for a, b in events %}{% endfor %}", "{{ loop.cycle('a') }}",
    "{% for e in events %}{{ loop.changed(e) }}{% endfor %}", "{% for e in events %}{{ loop._iterable }}{% endfor %}",
    "{% for e in events %}{{ e.labels.__class__ }}{% endfor %}", "{% for e in events %}{{ e.host.upper }}{% endfor %}",
    "{{ since.at }}", "{{ since.reader }}", "{{ now.__init__ }}", "{{ m.__init__ }}",
    "{% autoescape true %}{% endautoescape %}",
    "{{ title | default('x', true) }}", "{{ title | replace(old='a', new='b') }}", "{{ title is callable }}",
    "{{ title is sameas(title) }}", "{{ range(10) }}", "{{ dict(a=1) }}", "{{ {'a': 1} }}", "{{ title[:3] }}",
    "{{ title[0] }}",
    "{{ title[host] }}", "{{ labels[host] }}", "{{ varargs }}", "{{ caller() }}", "{{ context }}", "{{ environment }}",
]  # fmt: skip
EXPLOSIONS = [
    "{{ 'x' * 1000000000 }}", "{{ title * 10 }}", "{{ 9 ** 9 ** 9 }}", "{{ '%1000000000d' % 1 }}", "{{ 9 // 2 }}",
    "{% for i in range(999999999) %}x{% endfor %}",
    "{% for a in events %}{% for b in events %}{% for c in events %}x{% endfor %}{% endfor %}{% endfor %}",
    "{% set a = title ~ title %}{% set b = a ~ a %}{% set c = b ~ b %}{{ c }}",
    "{% set a = title + title %}{{ a + a }}",
    "{% set a = (title ~ title) | upper %}{{ a }}",
    "{{ " + " ~ ".join(["text"] * 60) + " }}",
    "{{ title | replace('a', '" + "b" * 2000 + "') }}",
    "{{ 99999999999999999999 }}",
    "{{ " + "(" * 300 + "title" + ")" * 300 + " | short(99999999) }}",
    "{{ " + "not " * 200 + "title }}",
    "{{ " + "[" * 100 + "1" + "]" * 100 + " }}",
    "{% if 1 %}" * 60 + "{% endif %}" * 60,
    "{{ title | short(100000000) }}", "x" * 20000, "{{ " + "-" * 5000 + "1 }}", "{{" + "(" * 4990 + ")" * 4990 + "}}",
]  # fmt: skip


@pytest.mark.parametrize("payload", INJECTIONS + EXPLOSIONS)
def test_T17_a_payload_in_a_mail_stays_literal(said: Said, variables: Variables, payload: str) -> None:
    shown = payload[:10_000]
    event = replace(variables.event, title=payload, labels={"x": payload})
    given = replace(variables, event=event, subject=payload, groups={"x": payload}, events=(event,))
    for source in (
        "{{ title }}",
        "{{ subject }}",
        "{{ labels.x }}",
        "{{ m.x }}",
        "{% for e in events %}{{ e.title }}{% endfor %}",
    ):
        assert said(source, given) == shown
    assert compile_value("{{ title }}", "key")({"title": payload}) == shown.strip()


@pytest.mark.parametrize("payload", [p for p in INJECTIONS if "{{" in p or "{%" in p])
def test_T17_what_a_text_must_not_hold_is_refused_at_load(payload: str) -> None:
    if payload in ("${7*7}", "{% raw %}{{ 7*7 }}{% endraw %}"):
        compile_text(payload, "here")
        return
    with pytest.raises(ConfigError) as caught:
        compile_text(payload, "here")
    assert all(problem.startswith("here: ") and len(problem) > 20 for problem in caught.value.problems)


@pytest.mark.parametrize("payload", EXPLOSIONS)
def test_T18_what_could_explode_is_refused_at_load_and_at_once(payload: str) -> None:
    begin = time.thread_time()
    with pytest.raises(ConfigError):
        compile_text(payload, "here")
    assert time.thread_time() - begin < 2


@given(st.text(alphabet=st.sampled_from("{}%#_.()[]|'\"*abx 1\ufdd0\ufdd2\ufdef\n"), max_size=40))
def test_T17_a_value_never_acts_as_a_template(value: str) -> None:
    event = Event("s", "p", value, "", "info", "problem", "", value, value, {"x": value})
    given_ = Variables(event, subject=value, groups={"x": value})
    found = render(SOURCE, given_, language="en", zone=ALMATY, now=NOW)
    bare = "".join(c for c in value if not "\ufdd0" <= c <= "\ufdef")
    assert found == tuple(piece for piece in (Piece(bare, 2), Piece(f"|{bare}|{bare}|{bare}")) if piece.text)


SOURCE = compile_text("{{ title | shrink(2) }}|{{ labels.x }}|{{ subject }}|{{ m.x }}", "here")


def test_T17_marks_in_a_message_give_nothing_away(said: Said, variables: Variables) -> None:
    event = replace(variables.event, host="a\ufdd5b\ufdef", title="\ufdd9all of it\ufdef")
    given_ = replace(variables, event=event, code="\ufdef12")
    text = compile_text("{{ host }} {{ title }} {{ code }} {{ title | shrink(1) | replace('all', host) }}", "here")
    assert render(text, given_, language="en", zone=ALMATY, now=NOW) == (
        Piece("ab", HOST),
        Piece(" all of it "),
        Piece("12", CODE),
        Piece(" "),
        Piece("ab of it", 1),
    )


def test_T17_no_template_is_ever_made_of_a_string_at_run_time() -> None:
    """Sources reach the compiler through ``checked`` alone, in one place each."""
    called: list[tuple[str, str]] = []
    for file in sorted(Path(bridge.render.__file__).parent.glob("*.py")):
        called.extend(
            (file.name, node.func.attr)
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        )
    assert not {name for _, name in called} & {"from_string", "get_template", "select_template", "compile_expression"}
    assert [file for file, name in called if name == "parse"] == ["check.py"]
    assert [file for file, name in called if name == "from_code"] == ["sandbox.py"]


def test_T18_the_sandbox_has_nothing_but_our_filters() -> None:
    environment = sandbox()
    assert environment.filters.keys() == FILTERS.keys()
    assert environment.globals == {}
    assert set(environment.tests) == {"defined", "undefined", "none", "odd", "even"}
    assert environment.undefined.__name__ == "StrictUndefined"


@pytest.mark.parametrize("reached", ["host", "__class__", "upper", "read", "at"])
def test_T17_no_value_has_attributes_even_behind_the_check(reached: str) -> None:
    environment = sandbox()
    for value in ("text", 5, NOW, [1], {"host": 1}, environment):
        with pytest.raises(Exception, match="nothing here has a part"):
            str(environment.getattr(value, reached))
    with pytest.raises(TypeError):
        environment.call(None, str)


def many(variables: Variables, n: int, detail: str) -> Variables:
    event = replace(variables.event, detail=detail)
    return replace(variables, event=event, events=(event,) * n)


def test_T18_a_list_is_never_longer_than_two_hundred(said: Said, variables: Variables) -> None:
    shown = said("{% for e in events %}.{% endfor %}", many(variables, 5000, ""))
    assert shown == "." * 200


@pytest.fixture
def handled(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The characters of every value a filter has done its work on."""
    lengths: list[int] = []

    def counting(change: Callable[..., object]) -> Callable[..., object]:
        def run(value: object, *rest: object) -> object:
            changed = change(value, *rest)
            lengths.append(len(str(value)))
            return changed

        return run

    for name, change in FILTERS.items():
        monkeypatch.setitem(sandbox().filters, name, counting(change))
    return lengths


@pytest.mark.parametrize("source, most_handled, reason", [
    ("{% for a in events %}{% for b in events %}{{ a.detail }}{% endfor %}{% endfor %}", 20_000, "grew beyond 10000"),
    ("{% for a in events %}{% for b in events %}{{ '' if a.detail | translit == b.detail }}{% endfor %}{% endfor %}",
     MOST_WORK, "too much work"),
    ("{{ text | replace('x', 'xxxxxxxxxx') | replace('x', 'xxxxxxxxxx') }}", 20_000, "grew beyond 10000"),
    ("{{ text }}{{ text }}", 20_000, "grew beyond 10000"),
    ("{{ detail }}{{ detail }}", 20_000, "grew beyond 10000"),
])  # fmt: skip
def test_T18_a_rendering_that_grows_or_works_too_much_fails_at_its_cap(
    variables: Variables, handled: list[int], source: str, most_handled: int, reason: str
) -> None:
    """Without its caps the first would be 400 MB of text, the second 400 million letters to spell."""
    given_ = replace(many(variables, 200, "x" * 10_000), text="x" * 10_000)
    text = compile_text(source, "here")
    tracemalloc.start()
    try:
        with pytest.raises(RenderFailed, match=reason):
            render(text, given_, language="en", zone=ALMATY, now=NOW)
        assert tracemalloc.get_traced_memory()[1] < 1_000_000
    finally:
        tracemalloc.stop()
    assert sum(handled) <= most_handled
    assert reason != "too much work" or sum(handled) > 0.9 * MOST_WORK, "nothing was counted"
    assert MOST_WORK == 1_000_000


def test_T18_empty_loops_end_soon(said: Said, variables: Variables) -> None:
    begin = time.thread_time()
    source = "{% for a in events %}{% for b in events %}{% if a.title != b.title %}x{% endif %}{% endfor %}{% endfor %}"
    assert said(source, many(variables, 200, "")) == ""
    assert time.thread_time() - begin < 1


def test_T18_each_rendering_has_its_own_allowance(said: Said, variables: Variables) -> None:
    given_ = replace(variables, text="x" * 9_000)
    for _ in range(300):
        said("{{ text | upper }}", given_)


def test_rendering_is_quick(variables: Variables) -> None:
    """Under 40 µs on one core of a usual machine; ten times that is allowed for a busy one."""
    text = compile_text("{{ host }} {{ title | shrink(2) }}. Reply {{ code }} ok", "here")
    begin = time.thread_time()
    for _ in range(1000):
        render(text, variables, language="en", zone=ALMATY, now=NOW)
    assert (time.thread_time() - begin) / 1000 < 400e-6


@pytest.mark.parametrize("name", ["read", "strict", "items", "keys", "get", "pop"])
def test_T17_a_label_is_only_ever_a_label(said: Said, variables: Variables, name: str) -> None:
    """Python's own names of a map are labels that are not there."""
    assert said("<{{ labels." + name + " }}>") == "<>"
    event = replace(variables.event, labels={name: "a label"})
    assert said("{{ labels." + name + " }}", replace(variables, event=event)) == "a label"


def test_T18_a_replacement_is_measured_before_it_is_made(variables: Variables) -> None:
    given_ = replace(variables, text="x" * 10_000)  # would be 100 MB
    text = compile_text("{{ text | replace('x', text) }}", "here")
    tracemalloc.start()
    try:
        with pytest.raises(RenderFailed, match="grew beyond"):
            render(text, given_, language="en", zone=ALMATY, now=NOW)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
