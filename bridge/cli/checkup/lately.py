"""How the gateways did in the last hours, from what became of their messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bridge.cli.checkup.finding import Finding, Findings, Patient
from bridge.errors import BridgeError

if TYPE_CHECKING:
    from bridge.store.health import GatewayHealth


async def outcomes(patient: Patient) -> Findings:
    """Each gateway that was given something: how much arrived, how soon, and what nobody answered."""
    from bridge.cli.opening import opened, store_path
    from bridge.store import health

    try:
        async with opened(store_path(patient.config)) as store:
            found = await store.read(lambda tx: health.look(tx, patient.now))
    except BridgeError:  # what is wrong with the store is a finding of its own
        return ()
    return tuple(_finding(name, found[name]) for name in patient.config.providers if name in found)


def _finding(name: str, lately: GatewayHealth) -> Finding:
    from bridge.store.health import SPAN

    words = [f"{lately.delivered} of {lately.judged} arrived"] if lately.judged else []
    words += [f"receipts after {lately.seconds:.0f} s"] if lately.seconds is not None else []
    words += [f"{lately.unknown} without an answer"] if lately.unknown else []
    missed = lately.attempts - lately.taken - lately.unknown
    words += [f"{missed} not taken"] if missed else []
    what = f"of its last {lately.attempts} messages in {SPAN.total_seconds() / 3600:g} h: {', '.join(words) or 'taken'}"
    if lately.virtual:
        what = f"{lately.virtual} SMS of the last hours reached no phone: the account is in test mode"
        return Finding("bad", name, what, "switch test mode off in the provider's cabinet")
    if lately.is_poor:
        return Finding("warn", name, what, "ask the provider; what is critical tries the next gateway first meanwhile")
    return Finding("ok", name, what)
