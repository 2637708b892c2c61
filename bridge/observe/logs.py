"""One way out for every log line: structlog over the standard library, to stderr, redacted as the last step.

Redaction happens where a line has become text, after every formatter, so it holds for exceptions, for
tracebacks and for the lines of libraries, whatever their arguments were (threats T29).
"""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Mapping, MutableMapping
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import Processor

from bridge.observe.redact import mask_numbers, redact

LogFormat = Literal["text", "json"]
Numbers = Literal["clear", "masked"]

# At "debug" these print what went over the wire: passwords nobody registered, whole mails, every SQL row.
_TALKATIVE = ("aiohttp", "aiosmtplib", "alembic", "asyncio", "mail", "sqlalchemy", "uvicorn")
_FIRST = ("timestamp", "level", "logger", "event")  # in a JSON line, before what the line is about
_SHARED: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
_CONFIGURED: list[Processor] = [
    structlog.stdlib.filter_by_level,
    *_SHARED,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def set_up(
    format: LogFormat = "text", level: str = "info", numbers: Numbers = "masked", *, stream: TextIO | None = None
) -> None:
    """Send all logs to *stream* (stderr) as *format*. May be called again; the last call counts.

    *level* is ``debug``, ``info``, ``warning`` or ``error``. Libraries speak from ``warning`` on, whatever it is.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(_Redacted(format, numbers, colours=handler.stream.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(True)
    structlog.configure(
        processors=_CONFIGURED,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


class _Redacted(logging.Formatter):
    """Renders a record and takes secrets (and numbers, if asked) out of the result."""

    def __init__(self, format: LogFormat, numbers: Numbers, *, colours: bool) -> None:
        super().__init__()
        self._masks = numbers == "masked"
        self._as_json = format == "json"
        self._inner = structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *self._renderers(colours)],
        )

    def format(self, record: logging.LogRecord) -> str:
        text = self._inner.format(record)
        return redact(text) if self._as_json else self.clean(text)  # a masked number in JSON is text: done before

    def clean(self, text: str) -> str:
        """*text* as it may be seen."""
        cleaned = redact(text)
        return mask_numbers(cleaned) if self._masks else cleaned

    def values(self, logger: Any, method: str, event: MutableMapping[str, Any]) -> Mapping[str, Any]:
        """Before rendering too: an escape that the renderer adds could hide a secret from the last look."""
        first = {name: event.pop(name) for name in _FIRST if name in event}
        return {name: self._cleaned(value) for name, value in {**first, **event}.items()}

    def _cleaned(self, value: Any) -> Any:
        match value:
            case str():
                return self.clean(value)
            case bool() | None:
                return value
            case int() | float():
                written = str(value)
                return value if self.clean(written) == written else self.clean(written)
            case Mapping():
                return {self.clean(str(name)): self._cleaned(one) for name, one in value.items()}
            case list() | tuple() | set() | frozenset():
                return [self._cleaned(one) for one in value]
        return self.clean(str(value))

    def _renderers(self, colours: bool) -> list[Processor]:
        traceback = structlog.processors.format_exc_info
        if self._as_json:
            return [traceback, self.values, structlog.processors.JSONRenderer(ensure_ascii=False)]
        plain = structlog.dev.ConsoleRenderer(
            colors=colours, exception_formatter=structlog.dev.plain_traceback, pad_event_to=0, sort_keys=False
        )
        return [traceback, self.values, plain]


def _uncaught(
    kind: type[BaseException], error: BaseException, at: TracebackType | None
) -> None:  # the signature of sys.excepthook
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("bridge").critical("stopped by an error", exc_info=(kind, error, at))


def _uncaught_in_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None:
        logging.getLogger("bridge").critical(
            "a thread ended with an error",
            exc_info=(args.exc_type, args.exc_value, args.exc_traceback),
        )
