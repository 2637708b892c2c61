"""An office whose gateway gives out numbers to ring: Aigul and Marat may answer so, Ivan may not."""

from __future__ import annotations

from pathlib import Path

from bridge.book.loading import load_book
from bridge.proof.world import World
from tests.unit.dispatch.stage import CONFIG, NOW, Stage

OUR_NUMBER = "+77770000000"
RULES = """
rules:
  - {rule: own words, when: {recipient: own@bridge.test}, to: [aigul, ivan, marat],
     text: "{{ title }}. {{ code }} ok or ring {{ call_to_ack }}"}
  - {rule: only sms, when: {recipient: sms@bridge.test}, to: aigul, replies: {ack_by: sms},
     text: "{{ title }}. Ring {{ call_to_ack }}"}
  - {rule: voice, when: {recipient: voice@bridge.test}, to: aigul, channel: call,
     text: "{{ title }}. Ring {{ call_to_ack }}"}
  - {rule: narrow, when: {recipient: narrow@bridge.test}, to: aigul, parts: 1,
     text: "{{ title }}. Ring {{ call_to_ack }}"}
  - {rule: frame, when: {recipient: one@bridge.test}, to: [aigul, ivan]}
"""
PEOPLE = """people:
  aigul: {name: Aigul, phone: "+77010000001", email: aigul@bridge.test, ack_by: [sms, call]}
  ivan: {name: Ivan, phone: "+77010000002"}
  marat: {name: Marat, phone: "+77010000003", ack_by: call}
"""


def ringing_stage(folder: Path, rules: str = RULES) -> Stage:
    """A play in that office, over *rules* written into *folder*."""
    before, _, rest = CONFIG.partition("people:")
    config = before + PEOPLE + rest[rest.index("teams:") :]
    (folder / "rules").mkdir(parents=True)
    (folder / "config.yaml").write_text(config.replace("currency: KZT,", "currency: KZT, confirm_by_call: true,"))
    (folder / "rules" / "10.yaml").write_text(rules)
    return Stage(World(load_book(folder / "config.yaml").require(), NOW))
