"""``smsbridge``: finds the verb, imports it, and turns whatever goes wrong into one sentence and an exit code.

Exit codes (docs/reference/exit-codes.md): 0 done, 1 did not work out, 2 wrong call, 75 try again,
78 configuration, 130 interrupted.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

import click

from bridge import __version__
from bridge.errors import BridgeError, ConfigError, NotSent, StoreUnavailable, StoreVersion, TemporaryFailure

FAILED, WRONG_CALL, TRY_AGAIN, CONFIGURATION, INTERRUPTED = 1, 2, 75, 78, 130

VERBS: dict[str, dict[str, str]] = {
    "Start": {
        "run": "Run the bridge in the foreground.",
        "demo": "Run bridge, pretend provider and console on this machine.",
    },
    "Try before it pages somebody": {
        "new": "Begin something new from what is there.",
        "check": "Read configuration, rules and templates; say everything that is wrong.",
        "explain": "Say what MAIL would do, rule by rule.",
        "test": "Play the rule tests in rules/tests.",
        "backtest": "Decide the mails of the store again by the rules in RULES; say what differs.",
        "text": "Count what texts on standard input (one a line) cost as SMS.",
        "simulator": "Pretend to be the SMS provider, with phones that can answer.",
    },
    "Look and act": {
        "send": "Send one SMS.",
        "number": "Say whose number it is, how SMS go there, what they cost, and what keeps them away.",
        "queue": "Look at what waits, and let it go, hold it or cancel it.",
        "incidents": "Look at incidents, acknowledge, resolve or silence them.",
        "oncall": "See who is on call, or give a rota to somebody for a while.",
        "silences": "See what is silent, silence something for a while, end a silence.",
        "unsubscribes": "See who unsubscribed from Viber, and take it back for who asks for it.",
        "money": "Show what budgets allow, what was used, what is left and until when.",
    },
    "Look after it": {
        "doctor": "Look for what is wrong around the bridge, and say how to mend it.",
        "user": "Manage the logins of mail doors and console.",
        "migrate": "Bring an old store to the version of this program.",
        "schema": "Print JSON Schema for editors.",
        "completion": "Print what makes a shell complete verbs and flags.",
    },
}
_KNOWN: dict[str, str] = {verb: help for section in VERBS.values() for verb, help in section.items()}


class _Stopped(click.ClickException):
    """A verb could not do its work: whole lines for stderr, and the exit code."""

    def __init__(self, lines: Sequence[str], code: int) -> None:
        super().__init__("\n".join(lines))
        self.code = code


class _Verbs(click.Group):
    """A group whose verbs are imported when they are called, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_KNOWN)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _KNOWN:
            return None
        found = importlib.import_module(f"bridge.cli.{cmd_name}").command
        assert isinstance(found, click.Command), cmd_name  # noqa: S101 - a mistake of ours, found by the first test
        return found

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, verbs in VERBS.items():
            with formatter.section(title):
                formatter.write_dl(list(verbs.items()))

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            raise _Stopped(error.problems, CONFIGURATION) from error
        except StoreVersion as error:
            raise _Stopped([f"{_called(ctx)}: {error}"], CONFIGURATION) from error
        except StoreUnavailable as error:
            raise _Stopped([f"{_called(ctx)}: the store is away ({error}). Try again."], TRY_AGAIN) from error
        except (NotSent, TemporaryFailure) as error:
            raise _Stopped([f"{_called(ctx)}: {error}. Try again."], TRY_AGAIN) from error
        except BridgeError as error:
            raise _Stopped([f"{_called(ctx)}: {error}"], FAILED) from error


@click.group("smsbridge", cls=_Verbs, no_args_is_help=True, subcommand_metavar="VERB [ARGS]...")
@click.version_option(__version__, message="%(prog)s %(version)s")
@click.option("--no-color", is_flag=True, help="No colours (NO_COLOR in the environment does the same).")
@click.pass_context
def smsbridge(context: click.Context, no_color: bool) -> None:
    """Alert mails become SMS; what comes back becomes mail again."""
    if no_color or os.environ.get("NO_COLOR"):
        context.color = False


def main() -> NoReturn:
    """The program ``smsbridge``."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal without ✓ or Kazakh letters gets ? and not a traceback
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Do what *arguments* say; the exit code. Sentences about what went wrong go to stderr."""
    try:
        code = smsbridge.main(list(arguments), prog_name="smsbridge", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return WRONG_CALL
    except click.UsageError as error:
        return _say(_sentence(error), WRONG_CALL)
    except _Stopped as stopped:
        return _say(stopped.message, stopped.code)
    except click.ClickException as error:
        return _say(error.format_message(), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    return code if isinstance(code, int) else 0  # what Context.exit was given


def _say(sentence: str, code: int) -> int:
    click.echo(sentence, err=True)
    return code


def _sentence(error: click.UsageError) -> str:
    """``smsbridge VERB: what is wrong. What would be right.``"""
    called = error.ctx.command_path if error.ctx else "smsbridge"
    if isinstance(error, click.NoSuchOption):
        options = [name for option in _options(error.ctx) for name in option.opts]
        return f"{called}: there is no {error.option_name}.{_meant(error.option_name, options)}"
    unknown = getattr(error, "command_name", None)  # of click's NoSuchCommand, which older versions do not have
    if isinstance(unknown, str) and error.ctx is not None and isinstance(error.ctx.command, click.Group):
        verbs = error.ctx.command.list_commands(error.ctx)
        return f"{called}: '{unknown}' is not a verb.{_meant(unknown, verbs, quoted=True) or _see(called)}"
    if isinstance(error, click.MissingParameter) and error.param is not None and error.ctx is not None:
        name = error.param.make_metavar(error.ctx) if isinstance(error.param, click.Argument) else error.param.opts[-1]
        return f"{called}: {name} is missing.{_see(called)}"
    return f"{called}: {_ended(error.format_message())}{_see(called)}"


def _ended(sentence: str) -> str:
    return sentence if sentence.endswith((".", "?")) else f"{sentence}."


def _options(context: click.Context | None) -> list[click.Parameter]:
    return context.command.get_params(context) if context else []


def _see(called: str) -> str:
    return f" See: {called} --help"


def _meant(word: str, known: Sequence[str], *, quoted: bool = False) -> str:
    """`` Did you mean 'explain'?``, or nothing when nothing is near."""
    from difflib import get_close_matches  # late: only who mistypes pays for it

    near = get_close_matches(word, list(known), n=1)
    shown = f"'{near[0]}'" if near and quoted else "".join(near)
    return f" Did you mean {shown}?" if near else ""


def _called(context: click.Context) -> str:
    return f"smsbridge {context.invoked_subcommand or ''}".strip()


if __name__ == "__main__":
    main()
