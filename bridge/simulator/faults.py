"""What can be made to go wrong, for all phones of a gateway or for one.

A fault has two halves: how the gateway's door answers (``refuse`` … ``drip``), for the doors named in
``on`` and at most ``times`` requests; and what the network behind it does (``fate``, ``receipts``).
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from pydantic import Field, TypeAdapter

from bridge.simulator.settings import Setting

Door = Literal["send", "price", "status", "balance", "get", "info", "wait_call", "mail", "bind", "link"]
Fate = Literal[
    "delivered", "read", "link", "expired", "undelivered", "wrong_number", "forbidden", "no_money", "unavailable",
    "stopped", "waiting",
]  # fmt: skip
Receipts = Literal["normal", "none", "lost", "twice", "reversed"]


class Fault(Setting):
    """One way of going wrong; the default is perfect health. Door ``price`` is send.php with ``cost=1``.

    *refuse* answers that error code and takes nothing; *silent* never answers; *drop* cuts the connection
    ``before`` the request is taken, ``after`` it without a byte, or once it is fully ``answered``; *half*
    cuts in the middle of the answer; *answer* sends something that is no answer, or a spoiled one: ``huge``, in
    another ``charset`` than it says, with some ``other id``; *http_status* goes with it. All but *refuse* and
    ``drop: before`` take the message all the same, unless *take* says otherwise.
    *delay* and *drip* are seconds before the answer and between its bytes; *throttle* is requests a second.
    *fates* are those of single channels (``{"viber": "undelivered"}``), where one message has several.
    *command_status* is SMPP's *refuse*; its doors are ``bind``, ``send``, ``status`` and ``link`` (enquire_link).
    *unbind*, of SMPP too: the door says goodbye behind its answer, with *silent* instead of one.
    *receipts*: ``none`` the network never reports, ``lost`` it does but nothing is posted.
    """

    on: tuple[Door, ...] = ("send",)
    times: int | None = Field(default=None, ge=1)
    refuse: int | None = Field(default=None, ge=1, le=9)
    command_status: int | None = Field(default=None, ge=1, le=0xFFFF)
    silent: bool = False
    unbind: bool = False
    drop: Literal["before", "after", "answered"] | None = None
    half: bool = False
    answer: Literal["garbage", "html", "empty", "ok", "huge", "charset", "other id"] | None = None
    http_status: int = Field(default=200, ge=200, le=599)
    delay: float = Field(default=0, ge=0, le=600)
    drip: float = Field(default=0, ge=0, le=60)
    throttle: int | None = Field(default=None, ge=1)
    take: bool | None = None
    fate: Fate = "delivered"
    fates: dict[str, Fate] = Field(default_factory=dict)
    err: int | None = Field(default=None, ge=0, le=255)
    receipts: Receipts = "normal"
    receipt_delay: float | None = Field(default=None, ge=0)

    def fate_of(self, channel: str) -> Fate:
        """What becomes of a message on that channel."""
        return self.fates.get(channel, self.fate)

    @property
    def takes(self) -> bool:
        """Whether the message travels on although the door misbehaves."""
        if self.take is not None:
            return self.take
        return self.refuse is None and self.command_status is None and self.drop != "before"


class GatewayFaults(Setting):
    """Faults of one gateway; a phone's own (digits, no plus) replaces the one for all."""

    all: Fault = Fault()
    phones: dict[str, Fault] = Field(default_factory=dict)


HEALTHY = Fault()


@dataclass(frozen=True, slots=True)
class Met:
    """What one request meets: *phones* with a fault of their own, *everyone* else."""

    everyone: Fault = HEALTHY
    phones: Mapping[str, Fault] = field(default_factory=dict)

    def of(self, phone: str) -> Fault:
        return self.phones.get(phone, self.everyone)

    @property
    def door(self) -> Fault:
        """How the door behaves: as the first phone that is not healthy makes it, else as for everyone."""
        return next((fault for fault in self.phones.values() if fault != HEALTHY), self.everyone)


_SHAPE = TypeAdapter(dict[str, GatewayFaults])
_ALL_WELL = GatewayFaults()


class FaultBook:
    """The faults set now, and how often each has struck."""

    def __init__(self, gateways: Iterable[str]) -> None:
        self.gateways = tuple(gateways)
        self._set: dict[str, GatewayFaults] = {}
        self._struck: Counter[tuple[str, str]] = Counter()
        self._recent: dict[str, deque[datetime]] = {}

    def replace(self, wanted: Mapping[str, object]) -> None:
        """What *wanted* holds is set, everything else is healthy again. pydantic's ValidationError or KeyError."""
        checked = _SHAPE.validate_python(dict(wanted))
        unknown = sorted(set(checked) - set(self.gateways))
        if unknown:
            raise KeyError(unknown[0])
        self._set, self._struck = checked, Counter()

    def as_json(self) -> dict[str, object]:
        """The form that ``replace`` takes, defaults left out."""
        return {name: self.of(name).model_dump(mode="json", exclude_defaults=True) for name in self.gateways}

    def of(self, gateway: str) -> GatewayFaults:
        return self._set.get(gateway, _ALL_WELL)

    def network(self, gateway: str, phone: str) -> Fault:
        """What happens behind the door to a message for *phone*."""
        faults = self.of(gateway)
        return faults.phones.get(phone, faults.all)

    def meet(self, gateway: str, door: str, phones: Sequence[str]) -> Met:
        """The faults that one request for *phones* meets at *door*; each of them is counted once."""
        faults = self.of(gateway)
        named = {phone: faults.phones[phone] for phone in phones if phone in faults.phones}
        common = not phones or any(phone not in named for phone in phones)
        return Met(
            self._strike(gateway, "", door, faults.all) if common else HEALTHY,
            {phone: self._strike(gateway, phone, door, fault) for phone, fault in named.items()},
        )

    def _strike(self, gateway: str, where: str, door: str, fault: Fault) -> Fault:
        if door not in fault.on:
            return HEALTHY
        self._struck[gateway, where] += 1
        return HEALTHY if fault.times is not None and self._struck[gateway, where] > fault.times else fault

    def throttled(self, gateway: str, fault: Fault, now: datetime) -> bool:
        """Whether one more request within this second is too many; counts it when it is not."""
        if fault.throttle is None:
            return False
        recent = self._recent.setdefault(gateway, deque())
        while recent and now - recent[0] >= timedelta(seconds=1):
            recent.popleft()
        if len(recent) >= fault.throttle:
            return True
        recent.append(now)
        return False
