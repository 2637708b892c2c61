"""config.example.yaml: every key of config.yaml, with its default, and what is switched off is right, too."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.config.load import Loaded, load
from bridge.config.models import Config
from bridge.config.models.base import Model
from bridge.config.validate import aliases

ROOT = Path(__file__).parents[3]
EXAMPLE = (ROOT / "config.example.yaml").read_text(encoding="utf-8")
WHOLE = re.sub(r"^( *)#(?=[^ #\n])", r"\1", EXAMPLE, flags=re.MULTILINE)  # with every key switched on
CHOSEN = {  # examples, where the default is another key, a name of the file, or nothing
    "include", "listen", "domains", "sources", "mailboxes", "operator", "outgoing_mail", "people", "teams", "rotas",
    "calendars", "windows", "escalations", "providers", "send_via", "monitors", "rules", "http", "heartbeat",
}  # fmt: skip


@pytest.fixture
def whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Loaded:
    (tmp_path / "config.yaml").write_text(WHOLE, encoding="utf-8")
    (tmp_path / "rules").symlink_to(ROOT / "rules")
    monkeypatch.chdir(tmp_path)
    return load(Path("config.yaml"))


def models(value: object) -> Iterator[Model]:
    """All models of a configuration."""
    if isinstance(value, Model):
        yield value
        for name in type(value).model_fields:
            yield from models(getattr(value, name))
    elif isinstance(value, dict):
        for one in value.values():
            yield from models(one)
    elif isinstance(value, tuple):
        for one in value:
            yield from models(one)


def test_every_key_stands_in_the_example(whole: Loaded) -> None:
    written: dict[type[Model], set[str]] = {}
    for one in models(whole.config):
        names = {type(one).model_fields[name].alias or name for name in one.model_fields_set}
        written.setdefault(type(one), set()).update(names)
    missing = {kind.__name__: sorted(aliases(kind) - names) for kind, names in written.items()}
    allowed = {  # the other one of two that exclude each other, or what needs a value of its own
        "AfterRead": ["flag", "move"],
        "Heartbeat": ["mail"],
        "Mailbox": ["oauth"],
        "OneTimeCode": ["list"],
        "Provider": ["apikey"],
        "SmscLogin": ["apikey"],
        "Store": ["password"],
        "Unrouted": ["drop"],
    }
    assert {name: keys for name, keys in missing.items() if keys and keys != allowed.get(name)} == {}


def test_what_is_switched_off_is_right_too(whole: Loaded) -> None:
    found = [(one.path, one.sentence.split(";")[0]) for one in whole.errors]  # what excludes what stands beside it
    rules = "rules/example"
    assert found == [
        ("defaults.template", "text with template"),
        ("defaults.template", f'no file "alert.j2" in {rules}/templates'),
    ]


def test_values_are_the_defaults(whole: Loaded) -> None:
    for one in (whole.config.storm, whole.config.keep, whole.config.spool, whole.config.listen[0].connections):
        assert one == type(one)()
    for name, field in Config.model_fields.items():
        if name not in CHOSEN and not field.is_required() and field.default is not None:
            given = getattr(whole.config, name)
            assert name in whole.config.model_fields_set
            assert isinstance(given, Model | dict) or given == field.default, name


def test_every_key_has_a_line_that_explains_it() -> None:
    text = EXAMPLE.splitlines()
    top = [at for at, line in enumerate(text) if re.match(r"#?[a-z_]+:", line)]
    assert [text[at] for at in top if not text[at - 1].startswith("# ")] == []
