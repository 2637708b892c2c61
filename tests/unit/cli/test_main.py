from __future__ import annotations

import importlib
import re
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest

from bridge import __version__
from bridge.cli import main
from bridge.cli.main import VERBS, run, smsbridge
from bridge.errors import BridgeError, ConfigError, NotSent, StoreUnavailable, StoreVersion

KNOWN = {verb: said for section in VERBS.values() for verb, said in section.items()}


def _command(verb: str) -> click.Command:
    found = importlib.import_module(f"bridge.cli.{verb}").command
    assert isinstance(found, click.Command)
    return found


def test_every_verb_of_the_folder_is_listed_and_the_other_way_round() -> None:
    files = {path.stem for path in Path(main.__file__).parent.glob("*.py")}
    commands = {name for name in files if hasattr(importlib.import_module(f"bridge.cli.{name}"), "command")}
    assert commands == KNOWN.keys()


@pytest.mark.parametrize("verb", KNOWN)
def test_help_says_of_a_verb_what_the_verb_says_of_itself(verb: str) -> None:
    own = re.sub(r" \([^)]*\)", "", _command(verb).get_short_help_str(300))
    listed = KNOWN[verb] if "(" in KNOWN[verb] else KNOWN[verb].rstrip(".")
    assert own.startswith(re.sub(r" \([^)]*\)", "", listed))


def test_help_lists_all_verbs_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    script = (
        "import sys; from bridge.cli.main import run; run(['--help']);"
        "print([m for m in sys.modules if m.startswith('bridge.') and m not in"
        " ('bridge.cli', 'bridge.cli.main', 'bridge.errors')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert [verb for verb in KNOWN if not re.search(rf"^  {verb} ", done.stdout, re.MULTILINE)] == []


def test_help_takes_less_than_0_3_s_warm() -> None:
    took = []
    for _ in range(4):
        begin = time.perf_counter()
        subprocess.run([sys.executable, "-m", "bridge.cli.main", "--help"], capture_output=True, check=True)
        took.append(time.perf_counter() - begin)
    assert min(took) < 0.3


@pytest.mark.parametrize(
    "words,sentence",
    [
        (["exlpain"], "smsbridge: 'exlpain' is not a verb. Did you mean 'explain'?"),
        (["zzz"], "smsbridge: 'zzz' is not a verb. See: smsbridge --help"),
        (["send", "--vai", "x"], "smsbridge send: there is no --vai. Did you mean --via?"),
        (["user", "ad"], "smsbridge user: 'ad' is not a verb. Did you mean 'add'?"),
        (["user", "add"], "smsbridge user add: LOGIN is missing. See: smsbridge user add --help"),
        (["--colour"], "smsbridge: there is no --colour. Did you mean --no-color?"),
    ],
)
def test_a_wrong_call_is_one_sentence_with_the_right_word(
    words: list[str], sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(words) == 2
    assert capsys.readouterr().err == f"{sentence}\n"


@pytest.mark.parametrize(
    "error,code,line",
    [
        (ConfigError(("a.yaml:1:1 x: wrong", "a.yaml:2:1 y: odd")), 78, "a.yaml:1:1 x: wrong\na.yaml:2:1 y: odd"),
        (StoreVersion("the store is of version 2.0"), 78, "smsbridge schema: the store is of version 2.0"),
        (StoreUnavailable("locked"), 75, "smsbridge schema: the store is away (locked). Try again."),
        (NotSent("no connection"), 75, "smsbridge schema: no connection. Try again."),
        (BridgeError("it did not work"), 1, "smsbridge schema: it did not work"),
        (KeyboardInterrupt(), 130, ""),
    ],
)  # fmt: skip
def test_every_error_of_the_tree_has_its_exit_code(
    error: BaseException, code: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail() -> None:
        raise error

    monkeypatch.setattr(importlib.import_module("bridge.cli.schema"), "command", click.Command("schema", callback=fail))
    assert run(["schema"]) == code
    assert capsys.readouterr().err.strip() == line


def test_the_reference_lists_the_exit_codes() -> None:
    page = (Path(__file__).parents[3] / "docs" / "reference" / "exit-codes.md").read_text()
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    assert codes == [0, main.FAILED, main.WRONG_CALL, main.TRY_AGAIN, main.CONFIGURATION, main.INTERRUPTED]


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"smsbridge {__version__}\n"


@pytest.mark.parametrize("words,colours", [([], True), (["--no-color"], False)])
def test_no_color_is_kept(words: list[str], colours: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    shown: list[bool | None] = []
    paint = click.Command("schema", callback=lambda: shown.append(click.get_current_context().color))
    monkeypatch.setattr(importlib.import_module("bridge.cli.schema"), "command", paint)
    assert run([*words, "schema"]) == 0
    monkeypatch.setenv("NO_COLOR", "1")
    assert run([*words, "schema"]) == 0
    assert [one is not False for one in shown] == [colours, False]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_that_asks_the_program(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["completion", shell]) == 0
    assert f"_SMSBRIDGE_COMPLETE={shell}_complete" in capsys.readouterr().out


def test_completion_knows_the_verbs() -> None:
    words = {"_SMSBRIDGE_COMPLETE": "bash_complete", "COMP_WORDS": "smsbridge que", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli.main"], capture_output=True, text=True, check=True, env=words
    )
    assert done.stdout.strip() == "plain,queue"
    assert smsbridge.list_commands(click.Context(smsbridge)) == list(KNOWN)


def test_a_terminal_without_our_letters_gets_no_traceback() -> None:
    script = "import sys; sys.argv[1:] = ['text']; from bridge.cli.main import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", script], input="ә", capture_output=True, text=True, env={"PYTHONIOENCODING": "ascii"}
    )
    assert done.stderr.find("Traceback") == -1
