"""Phones of people: who has turned SMS off."""

from __future__ import annotations

from bridge.cli.checkup.finding import Finding, Findings, Patient
from bridge.errors import BridgeError


async def stopped(patient: Patient) -> Findings:
    """Each person whose phone said STOP: nobody sends to it until it says START."""
    from bridge.cli.opening import opened, store_path
    from bridge.store import recall

    try:
        async with opened(store_path(patient.config)) as store:
            stops = await store.read(recall.stops)
    except BridgeError:  # what is wrong with the store is a finding of its own
        return ()
    people = {person.phone: name for name, person in patient.config.people.items()}
    zone = patient.loaded.require().zone("")
    return tuple(
        Finding(
            "warn", people[phone], f"SMS to this phone are off since {stop.since.astimezone(zone):%Y-%m-%d %H:%M}",
            f"START from that phone, or smsbridge oncall start {people[phone]}",
        )
        for phone, stop in stops.items()
        if phone in people
    )  # fmt: skip
