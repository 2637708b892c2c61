"""``--accept``: what happened becomes what is expected, in the file, for review like any change.

Only the ``expect`` of steps that did not hold is written anew; every other byte of the file stays, comments too.
"""

from __future__ import annotations

from collections.abc import Sequence

import yaml

from bridge.config.models import Expect, Refused
from bridge.proof import shown
from bridge.proof.compare import EFFECTS, paired, reasons_of
from bridge.proof.items import Look, incidents_like, written_item
from bridge.proof.mails import BadTest
from bridge.proof.runner import Outcome, Played


def accepted(text: str, outcome: Outcome) -> str:
    """*text* of the test file with what happened in *outcome*. Raises BadTest where nothing can be written."""
    root = yaml.compose(text, Loader=yaml.CSafeLoader if hasattr(yaml, "CSafeLoader") else yaml.SafeLoader)
    test = _child(_child(root, "tests"), outcome.index)
    steps = _child(test, "steps")
    for number, played in reversed(list(enumerate(outcome.played))):
        if played.held:
            continue
        step = test if steps is None else _child(steps, number)
        expect = _child(step, "expect")
        if expect is None:
            raise BadTest(f"step {number + 1} has no expect: to write to")
        text = _put(text, expect, _new(played), in_flow=isinstance(step, yaml.CollectionNode) and bool(step.flow_style))
    return text


def _child(node: yaml.Node | None, key: str | int) -> yaml.Node | None:
    """What stands under *key* of a map, or at a place of a list; one value alone is a list of one."""
    if isinstance(node, yaml.MappingNode):
        return node if key == 0 else next((value for name, value in node.value if name.value == key), None)
    if isinstance(node, yaml.SequenceNode) and isinstance(key, int):
        return node.value[key]  # type: ignore[no-any-return]
    return None


def _put(text: str, node: yaml.Node, new: str | list[shown.Item], *, in_flow: bool) -> str:
    """*text* with *new* in the place of *node*, in block style where the file has it."""
    begin, end = node.start_mark.index, _end(node)
    if isinstance(new, str):
        return text[:begin].rstrip(" \n") + f" {shown.scalar(new)}" + text[end:]
    if in_flow:
        return text[:begin].rstrip(" \n") + f" [{', '.join(map(shown.flow, new))}]" + text[end:]
    key = text.rindex("expect", 0, begin)
    column = key - (text.rfind("\n", 0, key) + 1)
    written = "".join(f"\n{' ' * (column + 2)}- {shown.flow(item)}" for item in new)
    return text[:begin].rstrip(" \n") + written + text[end:]


def _end(node: yaml.Node) -> int:
    """Where a node really ends: the mark of a block collection lies behind the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _end(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _new(played: Played) -> str | list[shown.Item]:
    """What the step should expect: a phrase, or items with the keys they were written with."""
    look, expected = played.look, played.step.expect
    happened = look.happened
    if happened.refusals and (not happened.taken_in or isinstance(expected, Refused)):
        return "refused " + " ".join(happened.refusals[0].line.split(" ")[:2])
    items = expected if isinstance(expected, tuple) else ()
    effects, looks = _effects(items, look), _looks(items, look)
    reasons = reasons_of(happened.fates)
    if not effects and reasons and all("not" in each for each in looks):
        return f"nothing because {reasons[0]}"
    return [*effects, *looks] or "nothing"


def _effects(items: Sequence[Expect], look: Look) -> list[shown.Item]:
    wanted = [item for item in items if item.kind in EFFECTS]
    effects = sorted(look.happened.effects, key=lambda effect: effect.at)
    known = {id(effect): wanted[n] for n, effect in paired(wanted, effects, look).items()}
    free = [item for item in wanted if not any(item is one for one in known.values())]
    found: list[shown.Item] = []
    for effect in effects:
        item = known.get(id(effect))
        if item is not None:
            found.append(written_item(item))
            continue
        brief = shown.brief(effect, look.began, look.zone)
        near = next((one for one in free if written_item(one)[one.kind] == brief.get(one.kind)), None)
        if near is not None:
            free.remove(near)
            brief = shown.brief(effect, look.began, look.zone, list(written_item(near)))
        found.append(brief)
    return found


def _looks(items: Sequence[Expect], look: Look) -> list[shown.Item]:
    """Looks at what was decided, with what was found; a look that finds nothing goes."""
    found: list[shown.Item] = []
    events = list(look.happened.events)
    for item in items:
        if item.kind == "event" and events:
            found.append(shown.event_item(events.pop(0)))
        elif item.kind == "incident":
            found += [shown.incident_item(one) for one in incidents_like(str(item.incident), look.incidents)[:1]]
        elif item.kind == "not" and item.not_ is not None:
            mine = [fate for fate in look.happened.fates if fate.reason and fate.person in ("", item.not_.name)]
            found += [{"not": item.not_.name, "because": fate.reason} for fate in mine[:1]]
    return found
