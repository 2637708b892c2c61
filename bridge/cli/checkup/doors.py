"""Our own doors: ports that can be had, certificates that hold, an address at which providers find us."""

from __future__ import annotations

import asyncio
import errno
import http.client
import os
import socket
import ssl
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bridge.cli.checkup.finding import Finding, Findings, Patient
from bridge.cli.checkup.names import addresses_of

if TYPE_CHECKING:
    from bridge.config.models import Listener

_RENEW = timedelta(days=14)


async def ports(patient: Patient) -> Findings:
    """Whether each door's address is free, or ours already."""
    found = await asyncio.gather(*(_port(patient, listener) for listener in patient.config.listen))
    return tuple(finding for finding in found if finding)


async def certificates(patient: Patient) -> Findings:
    """Whether certificate and key of each door belong together, and until when they hold."""
    pairs = {
        (pair.cert, pair.key): f"{listener.door} {listener.address}"
        for listener in patient.config.listen
        for pair in (listener.tls, listener.starttls)
        if pair is not None
    }
    return tuple(_certificate(cert, key, about, patient.now) for (cert, key), about in pairs.items())


async def callbacks(patient: Patient) -> Findings:
    """Whether a provider that is to call us can: a public name, https, and something of ours behind it."""
    wanted = [name for name, provider in patient.config.providers.items() if provider.callbacks is not None]
    if not wanted:
        return ()
    names = " and ".join(wanted)
    url = patient.config.http.public_url if patient.config.http else None
    if not url:
        mend = "write http: {public_url: https://…}"
        return (Finding("warn", "callback", f"{names} should call us, and nobody says where", mend),)
    if urlsplit(url).scheme != "https":
        mend = "put TLS before it, and write https in http.public_url"
        return (Finding("bad", "callback", f"{url} is not https: texts and receipts travel in the clear", mend),)
    host = urlsplit(url).hostname or ""
    found = await addresses_of(host, patient.within)
    public = [address for address in found if ip_address(address).is_global]
    if not public:
        why = f"name resolves to {', '.join(found)}" if found else "the name is not found"
        mend = "publish the address, or set inbound: poll"
        return (Finding("bad", "callback", f"{names} cannot reach {url} ({why})", mend),)
    return (await asyncio.to_thread(_ours_behind, url, patient),)


async def _port(patient: Patient, listener: Listener) -> Finding | None:
    address = listener.address
    about = f"{listener.door} {address}"
    if address.kind == "unix":
        folder = Path(address.path).parent
        if not folder.is_dir():
            return Finding("bad", about, f"no folder {folder}", f"mkdir {folder}, owned by the bridge's user")
        return Finding("ok", about, "its folder is there")
    if address.kind == "systemd":
        return Finding("ok", about, "given by systemd")
    if address.kind != "tcp":
        return None
    greeting = await _greeting(address.host, address.port, listener.door, patient.within)
    if greeting is None:
        return await asyncio.to_thread(_can_listen, address.host, address.port, about)
    if "smsbridge" in greeting:
        return Finding("ok", about, "the bridge listens")
    mend = f"stop it (ss -ltnp 'sport = :{address.port}' names it), or choose another port"
    return Finding("bad", about, "another program listens", mend)


async def _greeting(host: str, port: int, door: str, within: float) -> str | None:
    """What answers at our address, as far as it tells who it is; None: nobody does."""
    try:
        async with asyncio.timeout(min(within, 3.0)):
            reader, writer = await asyncio.open_connection(_local(host), port)
            try:
                if door == "http":
                    writer.write(b"GET /healthz HTTP/1.0\r\nHost: localhost\r\n\r\n")
                said = await reader.read(4096)
            finally:
                writer.close()
    except TimeoutError:
        return ""  # somebody is there and waits, as a door with TLS from the first byte does
    except OSError:
        return None
    text = said.decode("latin-1")
    return "smsbridge" if door == "http" and " 200 " in text.partition("\r\n")[0] else text


def _can_listen(host: str, port: int, about: str) -> Finding:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except PermissionError:
            mend = "the unit gives it; by hand use a port above 1023"
            return Finding("warn", about, f"port {port} needs a capability that {_user()} lacks", mend)
        except OSError as error:
            if error.errno == errno.EADDRNOTAVAIL:
                return Finding("bad", about, f"{host} is no address of this machine", "ip address shows what there is")
            return Finding("bad", about, f"cannot listen: {error.strerror}", "choose another address")
    return Finding("ok", about, "free, nobody listens yet")


def _certificate(cert: str, key: str, about: str, now: datetime) -> Finding:
    """A handshake with ourselves: OpenSSL itself says whether key and certificate fit, and reads the dates."""
    try:
        ends = _valid_until(cert, key)
    except ssl.SSLCertVerificationError as error:
        return Finding("bad", about, f"{cert}: {error.verify_message}", "renew it, then reload the bridge")
    except (ssl.SSLError, OSError) as error:
        why = error.reason if isinstance(error, ssl.SSLError) else error.strerror
        return Finding("bad", about, f"{cert} and {key} cannot be used: {why}", "give it a certificate and its key")
    left = ends - now
    what = f"certificate holds until {ends:%Y-%m-%d}"
    if left < _RENEW:
        return Finding("warn", about, f"{what}, {left.days} days", "renew it, then reload the bridge")
    return Finding("ok", about, what)


def _valid_until(cert: str, key: str) -> datetime:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key, password=_no_password)
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.verify_flags |= (
        ssl.VERIFY_X509_PARTIAL_CHAIN
    )  # the certificate itself is the anchor: only its own dates count
    client.load_verify_locations(cert)
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = server.wrap_bio(to_server, to_client, server_side=True)
    theirs = client.wrap_bio(to_client, to_server)
    for _ in range(4):
        for side in (theirs, ours):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    named = theirs.getpeercert() or {}
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(str(named["notAfter"])), UTC)


def _no_password() -> str:
    raise ssl.SSLError(0, "the key is encrypted")  # or OpenSSL would ask on the terminal


def _ours_behind(url: str, patient: Patient) -> Finding:
    """Ask our own public address for its health; from inside that may be impossible and yet work from outside."""
    parts = urlsplit(url)
    trust = patient.trust or ssl.create_default_context()
    connection = http.client.HTTPSConnection(parts.hostname or "", parts.port, timeout=patient.within, context=trust)
    mend = "look from outside: the provider must get there"
    try:
        connection.request("GET", f"{parts.path.rstrip('/')}/healthz", headers={"User-Agent": "smsbridge"})
        status = connection.getresponse().status
    except ssl.SSLCertVerificationError as error:
        return Finding(
            "bad", "callback", f"{url}: {error.verify_message}", "providers refuse such a certificate; renew it"
        )
    except (OSError, http.client.HTTPException) as error:
        return Finding("warn", "callback", f"no answer from {url} to this machine ({error})", mend)
    finally:
        connection.close()
    if status != 200:
        return Finding("warn", "callback", f"{url}/healthz answers {status}", "is the bridge running behind it?")
    return Finding("ok", "callback", f"{url} leads here")


def _local(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _user() -> str:
    return f"user {os.geteuid()}"
