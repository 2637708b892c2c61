"""TLS of a mail door: contexts from the configured files, and who a client's certificate names."""

from __future__ import annotations

import ssl
from typing import Any

from bridge.errors import ConfigError


def server_context(cert: str, key: str, client_ca: str | None) -> ssl.SSLContext:
    """A context for the server's side; a client certificate is asked for only where *client_ca* is given.

    Raises :class:`ConfigError` when a file cannot be read or does not fit.
    """
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    load_certificate(context, cert, key)
    if client_ca is not None:
        _load_client_ca(context, client_ca)
    return context


def load_certificate(context: ssl.SSLContext, cert: str, key: str) -> None:
    """Read certificate and key (again): handshakes from now on use them."""
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError((f"{cert} and {key} are no certificate with its key: {_why(error)}",)) from error


def subject_of(peer_certificate: dict[str, Any] | None) -> str:
    """``CN=printer-1,O=Bank`` of a verified client certificate, most specific part first; "" without one.

    Source: RFC 4514 §2 (order, escapes). Commas inside a value are written ``\\,``.
    """
    if not peer_certificate:
        return ""
    parts = [
        f"{_SHORT.get(name, name)}={_escaped(value)}"
        for names in reversed(peer_certificate.get("subject", ()))
        for name, value in names
    ]
    return ",".join(parts)


_SHORT = {
    "commonName": "CN",
    "organizationName": "O",
    "organizationalUnitName": "OU",
    "countryName": "C",
    "localityName": "L",
    "stateOrProvinceName": "ST",
    "domainComponent": "DC",
    "userId": "UID",
    "streetAddress": "STREET",
}


def _escaped(value: str) -> str:
    return "".join("\\" + char if char in ',+"\\<>;' else char for char in value)


def _load_client_ca(context: ssl.SSLContext, client_ca: str) -> None:
    try:
        context.load_verify_locations(client_ca)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError((f"{client_ca} holds no certificates: {_why(error)}",)) from error
    context.verify_mode = ssl.CERT_OPTIONAL


def _why(error: OSError) -> str:
    return error.strerror or str(error)
