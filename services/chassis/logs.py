"""Logs: one JSON line on standard output for each event.

    log = logger(__name__)
    log.info("event_ingested", source=source, outcome=outcome)
    log.exception("batch_failed", error=error, size=len(batch))

The event is a constant name and the data stands in fields. What could hold a secret
is not written whoever logs it: a field with a name like `token` or `body`, a Secret, a
protobuf message, octets, and the text of an exception that is not ours. Nothing is
written before `configure`.
"""

import logging
import sys
from datetime import UTC, datetime
from enum import Enum
from typing import Final, Protocol

import orjson
import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from services.chassis.failures import class_name, described
from services.chassis.redaction import redacted, safe
from services.chassis.telemetry import current_span_id, current_trace_id

_MESSAGE_LIMIT: Final = 300
_MASKED: Final = "…"


class Output(Protocol):
    """Takes the lines: a binary stream."""

    def write(self, octets: bytes, /) -> object:
        """Take one whole line."""
        ...

    def flush(self) -> object:
        """Pass on what was taken."""
        ...


class Logger:
    """Writes log lines under the name of a module."""

    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def debug(self, event: str, /, **fields: object) -> None:
        """Write what only somebody who looks for a fault wants to know."""
        if _Pipeline.lines is not None:
            _Pipeline.lines.debug(event, _logger=self._name, **fields)

    def info(self, event: str, /, **fields: object) -> None:
        """Write that something happened as it should."""
        if _Pipeline.lines is not None:
            _Pipeline.lines.info(event, _logger=self._name, **fields)

    def warning(self, event: str, /, **fields: object) -> None:
        """Write that something went wrong and was dealt with."""
        if _Pipeline.lines is not None:
            _Pipeline.lines.warning(event, _logger=self._name, **fields)

    def error(self, event: str, /, **fields: object) -> None:
        """Write that something went wrong and somebody must look at it."""
        if _Pipeline.lines is not None:
            _Pipeline.lines.error(event, _logger=self._name, **fields)

    def exception(self, event: str, /, *, error: BaseException, **fields: object) -> None:
        """Write that something failed: its class, and where, through the chain of causes."""
        if _Pipeline.lines is not None:
            fields = {"error": class_name(error), **fields, "exceptions": described(error)}
            _Pipeline.lines.error(event, _logger=self._name, **fields)


def logger(name: str) -> Logger:
    """Return the logger of a module. It may be made before `configure` is called."""
    return Logger(name)


def configure(service: str, level: str, *, output: Output | None = None) -> None:
    """Write log lines from here on, those of libraries too.

    Args:
        service: The service's name, on every line.
        level: The least important lines that are written: debug, info, warning or
            error. Libraries are heard from warning on; at debug, from info on.
        output: Where to write; standard output if None.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    writer = _Writer(output or sys.stdout.buffer)
    _Pipeline.lines = structlog.wrap_logger(
        writer,
        processors=[_Stamp(service), _render],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
    ).bind()
    root = logging.getLogger()
    for handler in root.handlers[:]:
        if isinstance(handler, _LibraryHandler):
            root.removeHandler(handler)
    root.addHandler(_LibraryHandler())
    root.setLevel(logging.INFO if threshold == logging.DEBUG else max(threshold, logging.WARNING))


class _Pipeline:
    """Holds what writes the lines of this process; None before `configure`."""

    lines: FilteringBoundLogger | None = None


class _Stamp:
    """Puts first on each line what every line has; a field of such a name gives way."""

    def __init__(self, service: str) -> None:
        self._service = service

    def __call__(self, logger: WrappedLogger, method: str, fields: EventDict) -> EventDict:
        line: EventDict = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "level": method,
            "service": self._service,
            "logger": fields.pop("_logger"),
            "event": fields.pop("event"),
        }
        trace_id = current_trace_id()
        if trace_id is not None:
            line["trace_id"] = trace_id
            line["span_id"] = current_span_id()
        for key, value in fields.items():
            line[f"{key}_" if key in line else key] = redacted(key, value)
        return line


def _render(logger: WrappedLogger, method: str, line: EventDict) -> bytes:
    return orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


class _Writer:
    """Writes whole lines; a broken output is no reason to fail a request."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def msg(self, line: bytes) -> None:
        try:
            self._output.write(line)
            self._output.flush()
        except (OSError, ValueError):
            # A closed stream is a ValueError.
            return

    debug = info = warning = error = msg


class _LibraryHandler(logging.Handler):
    """Takes the lines of libraries, without the texts that they put into them."""

    def emit(self, record: logging.LogRecord) -> None:
        if _Pipeline.lines is None:
            return
        fields: dict[str, object] = {"_logger": record.name, "message": _library_message(record)}
        if record.exc_info and record.exc_info[1] is not None:
            fields["error"] = class_name(record.exc_info[1])
            fields["exceptions"] = described(record.exc_info[1])
        if record.levelno >= logging.ERROR:
            _Pipeline.lines.error("library_line", **fields)
        elif record.levelno >= logging.WARNING:
            _Pipeline.lines.warning("library_line", **fields)
        else:
            _Pipeline.lines.info("library_line", **fields)


def _library_message(record: logging.LogRecord) -> str:
    """Return the first line of a library's message, with every text in it masked.

    asyncio puts the failed task, and with it the exception's text, on later lines.
    """
    if not isinstance(record.msg, str):
        return f"[{type(record.msg).__qualname__}]"
    message = record.msg
    arguments: object = None
    if isinstance(record.args, tuple):
        arguments = tuple(_masked(each) for each in record.args)
    elif record.args:
        arguments = {key: _masked(value) for key, value in record.args.items()}
    if arguments:
        try:
            message = message % arguments
        except (TypeError, ValueError, KeyError):
            # The placeholder wanted a number where the text was masked.
            message = record.msg
    return safe(message.partition("\n")[0][:_MESSAGE_LIMIT])


def _masked(argument: object) -> object:
    match argument:
        case bool() | int() | float() | None:
            return argument
        case BaseException():
            return class_name(argument)
        case Enum():
            return argument.name
        case _:
            return _MASKED
