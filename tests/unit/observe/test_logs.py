from __future__ import annotations

import asyncio
import base64
import io
import json
import logging
import sys
import threading
import warnings
from collections.abc import Callable
from urllib.parse import quote

import pytest
import structlog

from bridge.observe import register_secret, set_up
from bridge.observe.logs import LogFormat

CANARY = 'sekrit/"ключ"+7Qx\\'
STRUCTURED, PLAIN = structlog.get_logger("planner"), logging.getLogger("bridge.elsewhere")
AIOHTTP, UVICORN = logging.getLogger("aiohttp.client"), logging.getLogger("uvicorn.error")


class _Thing:
    def __repr__(self) -> str:
        return f"<Thing {CANARY}>"


def _raise() -> None:
    try:
        raise ValueError(CANARY)
    except ValueError as error:
        raise RuntimeError("around it") from error


def _exception(log: Callable[..., object]) -> None:
    try:
        _raise()
    except RuntimeError:
        log("it broke")


def _in_a_thread() -> None:
    thread = threading.Thread(target=_raise)
    thread.start()
    thread.join()


def _hook() -> None:
    try:
        _raise()
    except RuntimeError as error:
        sys.excepthook(type(error), error, error.__traceback__)


def _in_a_task() -> None:
    async def forgotten() -> None:
        task = asyncio.ensure_future(asyncio.sleep(0))
        del task
        asyncio.get_running_loop().call_exception_handler({"message": "lost", "exception": ValueError(CANARY)})
        await asyncio.sleep(0)

    asyncio.run(forgotten())


CANARIES: dict[str, Callable[[], object]] = {
    "event": lambda: STRUCTURED.info(f"took {CANARY}"),
    "value": lambda: STRUCTURED.info("took", key=CANARY),
    "name": lambda: STRUCTURED.info("took", **{CANARY: 1}),
    "list": lambda: STRUCTURED.info("took", keys=[CANARY, (CANARY,)]),
    "map": lambda: STRUCTURED.info("took", keys={"a": {"b": CANARY}, CANARY: 1}),
    "bytes": lambda: STRUCTURED.info("took", raw=CANARY.encode()),
    "object": lambda: STRUCTURED.info("took", thing=_Thing()),
    "error as value": lambda: STRUCTURED.info("took", error=ValueError(CANARY)),
    "structured exception": lambda: _exception(STRUCTURED.exception),
    "percent": lambda: STRUCTURED.info("GET", url=f"/?x={quote(CANARY, safe='')}"),
    "base64": lambda: STRUCTURED.info("line", line=base64.b64encode(f"\0acme\0{CANARY}".encode()).decode()),
    "JSON": lambda: STRUCTURED.info("body", body=json.dumps({"x": CANARY})),
    "context": lambda: structlog.get_logger("x").bind(key=CANARY).warning("took"),
    "plain": lambda: PLAIN.info("took %s", CANARY),
    "plain repr": lambda: PLAIN.info("took %r of %s", CANARY, _Thing()),
    "plain exception": lambda: _exception(PLAIN.exception),
    "plain stack": lambda: PLAIN.warning("here %s", CANARY, stack_info=True),
    "aiohttp": lambda: AIOHTTP.warning("took %s", {"x": CANARY}),
    "uvicorn": lambda: UVICORN.error("broke %s", CANARY, exc_info=ValueError(CANARY)),
    "uncaught": _hook,
    "thread": _in_a_thread,
    "task": _in_a_task,
    "warning": lambda: warnings.warn(CANARY, UserWarning, stacklevel=1),
}


@pytest.mark.parametrize("format", ["text", "json"])
@pytest.mark.parametrize("canary", CANARIES)
def test_T29_no_canary_reaches_a_log(canary: str, format: LogFormat) -> None:
    out = io.StringIO()
    register_secret(CANARY)
    set_up(format, "debug", "clear", stream=out)
    CANARIES[canary]()
    written = out.getvalue()
    assert "***" in written
    assert "sekrit" not in written
    assert "ключ" not in written
    if format == "json":
        assert all(isinstance(json.loads(line), dict) for line in written.splitlines())


def _line(numbers: str, **values: object) -> dict[str, object]:
    out = io.StringIO()
    set_up("json", "info", "masked" if numbers == "masked" else "clear", stream=out)
    STRUCTURED.info("message taken", **values)
    line: dict[str, object] = json.loads(out.getvalue())
    return line


def test_a_json_line_says_when_how_bad_who_and_what_first() -> None:
    line = _line("clear", message=5)
    assert list(line) == ["timestamp", "level", "logger", "event", "message"]
    assert (line["level"], line["logger"], line["event"], line["message"]) == ("info", "planner", "message taken", 5)


def test_numbers_are_masked_when_asked_and_the_line_stays_json() -> None:
    assert _line("clear", phone="+77011234567", raw=77011234567)["raw"] == 77011234567
    masked = _line("masked", phone="+77011234567", raw=77011234567, message=5)
    assert (masked["phone"], masked["raw"], masked["message"]) == ("+7 701 ••• 45 67", "+7 701 ••• 45 67", 5)


def test_T29_libraries_that_print_the_wire_are_quiet_at_debug() -> None:
    out = io.StringIO()
    set_up("text", "debug", stream=out)
    for name in ("mail.log", "mail.debug", "aiohttp.client", "aiosmtplib", "sqlalchemy.engine", "uvicorn.access"):
        logging.getLogger(name).debug("AUTH of somebody")
        logging.getLogger(name).info("AUTH of somebody")
    logging.getLogger("bridge.planner").debug("ours")
    assert out.getvalue().count("\n") == 1
    assert "ours" in out.getvalue()


def test_the_last_call_of_set_up_counts() -> None:
    first, second = io.StringIO(), io.StringIO()
    set_up("text", "info", stream=first)
    STRUCTURED.info("one")
    set_up("json", "warning", stream=second)
    STRUCTURED.info("two")
    STRUCTURED.warning("three")
    assert first.getvalue().count("\n") == 1
    assert json.loads(second.getvalue())["event"] == "three"


def test_ctrl_c_prints_no_traceback() -> None:
    out = io.StringIO()
    set_up("text", "info", stream=out)
    sys.excepthook(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert out.getvalue() == ""
