"""What a watch does when its mail stays away (FORMAT §11), as the action of a rule: ``watch/NAME``.

A watch takes from ``defaults`` what it shares with rules and does not write itself; it waits for nothing (no group,
digest or quiet hours of a rule), because the mail is late already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from bridge.book.book import RuleTexts
from bridge.config.load import Loaded
from bridge.config.models.root import Config
from bridge.config.models.rules import Rule, Watch
from bridge.config.problem import Path
from bridge.errors import ConfigError
from bridge.render.texts import compile_text
from bridge.routing.rules import Action, Surroundings, action_of, written_in

PREFIX = "watch/"
_FROM_DEFAULTS = frozenset(
    "class_ validity parts alphabet language channel sender send_via budget escalate on_recovery replies receipts "
    "repeat ack_lasts".split()
)
_OWN = ("class_", "parts", "escalate", "alphabet", "budget", "send_via", "text", "to")
_FOR_EVER = timedelta(days=3650)  # its mail ends it, or an operator: silence never does
_SOME_DAY = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class WatchActions:
    """By ``watch/NAME``: what each watch does, and the text it writes itself."""

    actions: dict[str, Action] = field(default_factory=dict)
    texts: dict[str, RuleTexts] = field(default_factory=dict)


def rule_of(watch: str) -> str:
    """The name under which a watch stands where others have a rule, and the key of its incident."""
    return PREFIX + watch


def compile_watches(loaded: Loaded) -> WatchActions:
    """The watches of all rule files. Raises ConfigError with every text and cron entry that cannot be."""
    made, errors = WatchActions(), list[str]()
    for file, path, watch in _written(loaded):
        name = rule_of(watch.watch)
        made.actions[name] = watch_action(watch, loaded.config)
        if watch.cron is not None and (mistake := _never(watch.cron)):
            errors.append(str(loaded.places.problem(file, (*path, "cron"), mistake)))
        if watch.text is None:
            continue
        try:
            place = str(loaded.places.problem(file, (*path, "text"), "")).rstrip(": ")
            made.texts[name] = RuleTexts(alert=compile_text(watch.text, place))
        except ConfigError as error:
            errors += error.problems
    if errors:
        raise ConfigError(tuple(errors))
    return made


def watch_action(watch: Watch, config: Config) -> Action:
    """What *watch* does, nothing left open."""
    defaults = {name: value for name, value in written_in(config.defaults).items() if name in _FROM_DEFAULTS}
    own = {name: getattr(watch, name) for name in _OWN if name in watch.model_fields_set}
    everyone = {"default": tuple(config.providers)}
    around = Surroundings(config.send_via or everyone, config.escalations)
    rule = Rule.model_construct(rule=rule_of(watch.watch), drop=None)
    return action_of({**defaults, **own, "close_after": _FOR_EVER}, rule, around)


def _written(loaded: Loaded) -> Iterator[tuple[str, Path, Watch]]:
    for file, content in loaded.rule_files:
        for number, watch in enumerate(content.watch):
            yield file, ("watch", number), watch


def _never(cron: str) -> str:
    """Why no clock ever shows *cron*, "" when one does."""
    from cronsim import CronSim, CronSimError

    try:
        next(CronSim(cron, _SOME_DAY))
    except (CronSimError, StopIteration) as error:
        return f'"{cron}" never comes ({error})' if str(error) else f'"{cron}" never comes'
    return ""
