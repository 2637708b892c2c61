"""FORMAT §13's reasons as sentences."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge.web.reasons import sentence, sentences
from bridge.web.seen import Seen

REASONS = {
    "dropped (test mail)": "Dropped by the rule “r”: test mail.",
    "refused (From not allowed)": "Refused: From not allowed.",
    "no rule takes it": "No rule takes it: the operator hears of it.",
    "incident open since 07:40": "Told before: open since 07:40.",
    "incident open since 07:40 and repeated after 08:40": "Told before: open since 07:40. Repeated after 08:40.",
    "acknowledged by aigul": "Aigul has it.",
    "acknowledged by +77019998877": "+7 701 ••• 88 77 has it.",
    "also seen by zabbix2": "The same was seen by zabbix2 a moment before.",
    "flapping": "Not sent: it comes and goes. Told again when it holds.",
    "resolved before it was sent": "It was over before the SMS left.",
    "recovery of something nobody was told": "Not told about the end: was not told about the problem.",
    "recovery tells nobody": "The rule tells nobody about the end.",
    "number not allowed (+7702 is not among numbers)": "This number may not be used: +7702 is not among numbers.",
    "nobody on call in night": "Nobody is on call in night.",
    "stopped by aigul": "Not sent: Aigul turned SMS off.",
    "mail only": "No SMS: the rule “r” only mails.",
    "to nobody": "No SMS: the rule “r” says to: nobody.",
    "loop": "An automatic answer, or a mail of our own.",
    "same mail as M-7": "A second copy of mail M-7: nothing new was started.",
    "too late to be sent": "It waited longer than it was valid.",
    "silenced by deploy until 16:05": "Silence deploy holds until 16:05.",
    "silenced by 31 until 16:05": "Silence 31 holds until 16:05.",
    "hidden by switch down (sw3/ping)": "switch down hides it as long as sw3/ping is open.",
    "2 of 3 in 1h30m": "Not sent yet: 2 of 3 in 90 min.",
    "in the digest at 09:00": "Held for the digest at 09:00.",
    "storm and digest at 03:20": "Held: storm. Digest at 03:20.",
    "collecting until 03:12:30": "It waits for others until 03:12:30.",
    "quiet hours until 07:00": "Quiet hours until 07:00, then it is looked at again.",
    "over budget each_prefix +7702": "The budget each_prefix +7702 has no room for it.",
    "nobody to tell": "Nobody is there to be told.",
    "unknown: asked 5 times: 4 × not found, 1 × nobody": (
        "Its fate could not be proved. Asked 5 times: 4 × not found, 1 × nobody to ask."
    ),
    "outcome unknown, never asked": "Its fate could not be proved. Nobody could be asked.",
    "something new (that has no sentence yet)": "something new (that has no sentence yet)",
}


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_said_as_a_sentence(v: Seen, reason: str) -> None:
    assert sentence(v, reason, "r") == REASONS[reason]


@pytest.mark.parametrize("language", ["ru", "kk"])
def test_every_reason_but_an_unknown_one_is_translated(seen_in: Callable[[str], Seen], language: str) -> None:
    known = [reason for reason in REASONS if "no sentence yet" not in reason]
    english, other = seen_in("en"), seen_in(language)
    same = [reason for reason in known if sentence(other, reason, "r") == sentence(english, reason, "r")]
    assert same == []


def test_every_reason_of_the_format_has_a_sentence(v: Seen) -> None:
    """Those of the table in the reference, with something put in for <…>."""
    page = (Path(__file__).parents[3] / "docs" / "reference" / "format.md").read_text(encoding="utf-8")
    table = page.partition("\n## 13. Reasons")[2].partition("\n## ")[0]
    reasons = re.findall(r"(?m)^\| `([^`]+)` \|", table)
    assert len(reasons) > 20
    for reason in reasons:
        given = re.sub(r"<[A-Za-z ]+>", "5", reason.replace("<T>", "5m").replace("<HH:MM", "<at"))
        given = given.replace("<at>", "07:00").replace("<at:SS>", "07:00:30")
        assert sentence(v, given, "r") != given, given


def test_several_reasons_are_sentences_and_other_words_stay(v: Seen) -> None:
    assert sentences(v, "dba: nobody on call in night; to nobody") == (
        "Nobody is on call in night. No SMS: the rule “” says to: nobody."
    )
    assert sentences(v, "on vacation; ask marat: he knows") == "on vacation; ask marat: he knows"
