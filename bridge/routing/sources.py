"""Who hands something in: the source of a mail, and whether it may use this sender (FORMAT §3, Source)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from bridge.config.models.doors import Source
from bridge.model import Door
from bridge.routing.facts import Facts
from bridge.routing.globs import Glob, compile_glob
from bridge.routing.look import network_address, scrubbed

COLON_MAIL = "send"  # local part to which old programs mail the provider's colon format


@dataclass(frozen=True, slots=True)
class SourceRef:
    """The source of a mail: its name, and the entry of the configuration that fitted (None: login or peer)."""

    name: str
    entry: Source | None = None

    @property
    def is_old_program(self) -> bool:
        """Whether it may mail the provider's colon format."""
        return self.entry is not None and self.entry.smsc is not None


@dataclass(frozen=True, slots=True)
class _Way:
    """One way in, its globs compiled."""

    name: str
    entry: Source
    certificates: tuple[Glob, ...]
    senders: tuple[Glob, ...]

    def fits(self, facts: Facts, peer: IPv4Address | IPv6Address | None) -> bool:
        """Whether every kind that is named fits."""
        entry = self.entry
        if entry.login and facts.login not in entry.login:
            return False
        if entry.network and (peer is None or not any(peer in network for network in entry.network)):
            return False
        if entry.certificate and not _one_fits(self.certificates, facts.certificate):
            return False
        if entry.mailbox and facts.mailbox not in entry.mailbox:
            return False
        return facts.token == self.name or not self._proven_by_secret_only()

    def _proven_by_secret_only(self) -> bool:
        """A token always counts; an old program's password only if nothing else says who it is: colon mail shows it
        after the ``250``."""
        entry = self.entry
        told = entry.login or entry.network or entry.certificate or entry.mailbox
        return entry.token is not None or (entry.smsc is not None and not told)


class Sources:
    """The sources of one configuration."""

    def __init__(self, sources: Mapping[str, tuple[Source, ...]]) -> None:
        self._ways = tuple(
            _Way(
                name,
                entry,
                tuple(compile_glob(subject, anywhere=False) for subject in entry.certificate),
                tuple(compile_glob(sender, anywhere=False) for sender in entry.from_),
            )
            for name, entries in sources.items()
            for entry in entries
        )

    def of(self, facts: Facts) -> SourceRef:
        """The first way in that fits; else the login, else the peer."""
        way = self._way(facts)
        return SourceRef(way.name, way.entry) if way else SourceRef(facts.login or facts.peer)

    def sender_refusal(self, facts: Facts) -> str | None:
        """The reply line if the envelope's sender may not be used by this source, else None.

        The null sender passes: it claims to be nobody, and the header From is looked at after the ``250``.
        """
        if not facts.mail_from or self.may_send_as(facts, facts.mail_from):
            return None
        source = self.of(facts)
        who = f"Login {facts.login}" if facts.login else f"Source {source.name}"
        return f"550 5.7.1 {shown(who)} may not send as {shown(facts.mail_from)}"

    def may_send_as(self, facts: Facts, address: str) -> bool:
        """Whether the source lists *address* (envelope or header From) under ``from``, or lists nothing."""
        way = self._way(facts)
        return way is None or not way.senders or _one_fits(way.senders, address)

    def door_of(self, facts: Facts, address: str) -> Door:
        """The door as rules see it: a mail to ``send@`` by an old program comes in by the colon mail's door."""
        local = address.rpartition("@")[0].casefold()
        return "smsc-mail" if local == COLON_MAIL and self.of(facts).is_old_program else facts.door

    def has_old_program(self, name: str | None) -> bool:
        """Whether the source *name*, or any at all, may mail the colon format."""
        return any(way.entry.smsc is not None for way in self._ways if name in (None, way.name))

    def _way(self, facts: Facts) -> _Way | None:
        peer = network_address(facts.peer)
        return next((way for way in self._ways if way.fits(facts, peer)), None)


def shown(text: str, longest: int = 80) -> str:
    """*text* as it may stand in an SMTP reply: printable ASCII, cut."""
    clean = "".join(letter if " " <= letter <= "~" else "?" for letter in text)
    return clean if len(clean) <= longest else clean[: longest - 2] + ".."


def _one_fits(globs: tuple[Glob, ...], text: str) -> bool:
    folded = scrubbed(text).casefold()
    return any(glob.fits(folded) for glob in globs)
