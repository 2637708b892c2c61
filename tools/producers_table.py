"""``python -m tools.producers_table`` writes docs/reference/producers.md from the packs and their mails.

With ``--check`` it writes nothing and ends with 1 when the page is older than they are.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from bridge.producers.loading import load_packs
from bridge.producers.pack import Pack
from tools.fixtures.registry import SAMPLES, expected
from tools.fixtures.wrappings import WRAPPINGS

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "producers.md"

# How well a producer's mails are known. F: its own source, package or manual was read; f: the same of an older or
# another version; S: seen only in texts of others; U: no sample was ever found.
STATUS: Mapping[str, str] = {
    **dict.fromkeys("alertmanager apcupsd apticron arpwatch bacula checkmk cron fail2ban grafana".split(), "F"),
    **dict.fromkeys("healthchecks icinga2 logwatch mdadm monit nagios netdata nut ossec proxmox".split(), "F"),
    **dict.fromkeys("rkhunter serveraid smartd tripwire truenas unattended-upgrades uptime-kuma".split(), "F"),
    **dict.fromkeys("veeam zabbix zed".split(), "F"),
    **dict.fromkeys("apc-nmc hpe sap".split(), "f"),
    **dict.fromkeys("cloudwatch dell fortigate prtg qnap synology unifi uptimerobot vcenter".split(), "S"),
    "cisco": "U",
}
_HEAD = """# Producers

Written by `make docs` from the packs in `rules/producers/` and the mails in `tests/producers/`. [Producer
packs](producer-packs.md) tells how a pack is written, [a new producer](../how-to/new-producer.md) how to add one.

| producer | fields cut | states | mails it is tested with | status |
|---|---|---|---|---|
"""
_FOOT = """
**Fields** beside severity and state, which every pack cuts. "many events": one mail may tell of several. `label.…`:
labels that rules may ask for. **States** are those that its test mails tell of.

**Status**: F – its own source, package or manual was read; f – the same of an older or another version; S – seen only
in texts of others; U – no sample was ever found. Packs marked f, S and U recognise and take what is clear from the
subject; send us a mail, and they become more.

Every mail is tested in up to {wrappings} wrappings: {names} (`tools/fixtures/wrappings.py`).
"""


def page() -> str:
    """The whole page."""
    packs = load_packs().packs
    rows = "".join(_row(pack) for pack in sorted(packs, key=lambda pack: pack.producer))
    names = ", ".join(WRAPPINGS)
    return _HEAD + rows + _FOOT.format(wrappings=len(WRAPPINGS), names=names)


def _row(pack: Pack) -> str:
    samples = [sample for sample in SAMPLES if sample.producer == pack.producer]
    mails = sum(bool(expected(sample, wrapping)) for sample in samples for wrapping in WRAPPINGS)
    states = dict.fromkeys(str(event["state"]) for sample in samples for event in sample.expect)
    told = f"{len(samples)} in {mails} mails"
    return f"| {pack.producer} | {_fields(pack)} | {', '.join(states)} | {told} | {STATUS[pack.producer]} |\n"


def _fields(pack: Pack) -> str:
    labels = [f"`label.{name}`" for name in pack.labels]
    if any(pairs.labels for pairs in pack.pairs):
        labels.append("`label.…` (all of the alert)")
    many = ["many events"] if pack.split or pack.sections else []
    return ", ".join([*pack.fields, *labels, *many])


def main(words: list[str]) -> int:
    """Write the page, or only compare it; the exit code."""
    if "--check" in words:
        if PAGE.read_text("utf-8") == page():
            return 0
        print("docs/reference/producers.md is old; run python -m tools.producers_table")
        return 1
    PAGE.write_text(page(), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
