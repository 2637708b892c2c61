"""The three providers of ``docs/how-to/new-gateway.md``, as their manuals say and nothing more; each with a thread.

They know nothing of the bridge. ``mood`` is what goes wrong with the next hand-over: ``cut`` takes the message and
hangs up, ``html`` takes it and answers with somebody else's page, any other text is the code of an error.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

KEY = "canary-k3y-of-the-example"


class LocalGateway:
    """What it took, by ``ref``; *inbox* is what phones wrote."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, str]] = {}
        self.states: dict[str, str] = {}
        self.inbox: list[dict[str, Any]] = []
        self.requests: list[tuple[str, str]] = []
        self.mood = ""
        self.credit = 95.5
        self.port = 0

    def take(self, sent: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if sent["ref"] in self.taken:
            return 409, _error("E40")
        if self.mood.startswith("E"):
            return 400, _error(self.mood)
        if set(sent) != {"to", "from", "text", "ref"} or not sent["to"].isdigit():
            return 400, _error("E10")
        self.taken[sent["ref"]] = sent
        self.credit -= 4.5
        return 201, {"message": {"id": f"m-{len(self.taken)}", "price": "4.50", "parts": 1}}

    def asked(self, path: str, query: dict[str, str]) -> tuple[int, dict[str, Any]]:
        if path == "/v1/messages":
            if query["ref"] not in self.taken:
                return 404, {"state": "no such message"}
            return 200, {"state": self.states.get(query["ref"], "delivered")}
        if path == "/v1/account":
            return 200, {"credit": f"{self.credit:.2f}", "currency": "KZT"}
        return 200, {"items": [one for one in self.inbox if one["id"] > int(query["after"])]}


def _error(code: str) -> dict[str, Any]:
    return {"error": {"code": code}}


def _handler(gateway: LocalGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gateway.requests.append((self.command, self.path))
            if self.headers["X-Key"] != KEY:
                return self._say(401, _error("E02"))
            mood = gateway.mood
            status, answer = gateway.take(json.loads(body))
            gateway.mood = "" if mood in ("cut", "html") else mood
            if mood == "cut":
                self.close_connection = True
                self.connection.close()
                return None
            return self._say(502, "<html>bad gateway</html>") if mood == "html" else self._say(status, answer)

        def do_GET(self) -> None:
            gateway.requests.append((self.command, self.path))
            if self.headers["X-Key"] != KEY:
                return self._say(401, _error("E02"))
            parts = urlsplit(self.path)
            return self._say(*gateway.asked(parts.path, {key: one[0] for key, one in parse_qs(parts.query).items()}))

        def do_HEAD(self) -> None:
            self._say(200, "")

        def _say(self, status: int, answer: Any) -> None:
            body = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    return Handler


class OldGateway:
    """The one that takes GET alone: what it took, in order. *moved*: it answers with a redirect to itself."""

    def __init__(self) -> None:
        self.taken: list[dict[str, str]] = []
        self.states: dict[str, str] = {}
        self.requests: list[tuple[str, str]] = []
        self.mood = ""
        self.moved = False
        self.port = 0

    def asked(self, path: str, query: dict[str, str]) -> str:
        if (query.pop("user", ""), query.pop("password", "")) != ("acme", KEY):
            return "ERR 1"
        if path == "/sendsms":
            return self._take(query)
        if path == "/state":
            known = query["id"].isdigit() and 0 < int(query["id"]) <= len(self.taken)
            return f"{query['id']} {self.states.get(query['id'], 'DELIVRD')}" if known else "ERR 8"
        left = 95.5 - 4.5 * len(self.taken)
        return f'<account><credit currency="KZT">{left:.2f}</credit></account>'

    def _take(self, query: dict[str, str]) -> str:
        if self.mood.isdigit():
            return f"ERR {self.mood}"
        if set(query) != {"to", "from", "text"} or not query["to"].isdigit():
            return "ERR 3"
        self.taken.append(query)
        return f"OK {len(self.taken)}\r\n"


def _old_handler(gateway: OldGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            gateway.requests.append((self.command, self.path))
            parts = urlsplit(self.path)
            fields = parse_qs(parts.query, keep_blank_values=True, strict_parsing=True)
            answer, mood = gateway.asked(parts.path, {key: one[0] for key, one in fields.items()}), gateway.mood
            gateway.mood = "" if mood in ("cut", "html") else mood
            if mood == "cut":
                self.close_connection = True
                self.connection.close()
                return None
            return self._say("<html>all is OK 1</html>" if mood == "html" else answer)

        def _say(self, answer: str) -> None:
            body = answer.encode()
            self.send_response(302 if gateway.moved else 200)
            if gateway.moved:
                self.send_header("Location", self.path)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    return Handler


class XmlGateway:
    """The one that takes XML in windows-1251: the attributes and the text of what it took, by ``id``."""

    def __init__(self) -> None:
        self.taken: dict[str, dict[str, str]] = {}
        self.states: dict[str, str] = {}
        self.requests: list[tuple[str, bytes]] = []
        self.mood = ""
        self.port = 0

    def asked(self, package: ElementTree.Element) -> str:
        (one,) = package
        number = one.attrib["id"]
        if package.tag != "package" or package.attrib != {"login": "acme", "password": KEY}:
            return _answered("message", number, "1")
        if one.tag == "state":
            known = f'<state id="{number}">{self.states.get(number, "delivered")}</state>'
            return known if number in self.taken else _answered("state", number, "8")
        if number in self.taken or self.mood.isdigit():
            return _answered("message", number, "7" if number in self.taken else self.mood)
        self.taken[number] = {**one.attrib, "text": one.text or ""}
        return f'<message id="{number}" code="0" price="4.50"/>'


def _answered(tag: str, number: str, code: str) -> str:
    return f'<{tag} id="{number}" code="{code}"/>'


def _xml_handler(gateway: XmlGateway) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            gateway.requests.append((self.headers["Content-Type"], body))
            answer, mood = gateway.asked(ElementTree.fromstring(body)), gateway.mood  # noqa: S314 - of the test
            gateway.mood = "" if mood == "cut" else mood
            if mood == "cut":
                self.close_connection = True
                self.connection.close()
                return
            whole = f'<?xml version="1.0" encoding="windows-1251"?>{answer}'.encode("cp1251")
            self.send_response(200)
            self.send_header("Content-Length", str(len(whole)))
            self.end_headers()
            self.wfile.write(whole)

        def log_message(self, format: str, *args: Any) -> None:
            """Nobody reads it."""

    return Handler


@contextmanager
def xml_gateway() -> Iterator[XmlGateway]:
    """One that takes XML."""
    gateway = XmlGateway()
    with _serving(gateway, _xml_handler(gateway)):
        yield gateway


@contextmanager
def local_gateway() -> Iterator[LocalGateway]:
    """One, listening on loopback."""
    gateway = LocalGateway()
    with _serving(gateway, _handler(gateway)):
        yield gateway


@contextmanager
def old_gateway() -> Iterator[OldGateway]:
    """The same of the one that takes GET alone."""
    gateway = OldGateway()
    with _serving(gateway, _old_handler(gateway)):
        yield gateway


@contextmanager
def _serving(gateway: LocalGateway | OldGateway | XmlGateway, handler: type[BaseHTTPRequestHandler]) -> Iterator[None]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    gateway.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
