"""Structured logs: one line for each event, JSON for machines or text for people.

Text shows control characters as text, and neither form shows the password of a URL.

An event has a short snake_case name and key=value fields. The content of items is never logged.
Therefore libraries log from WARNING on, whatever our own level is: at DEBUG the AWS client logs
whole bodies. For the same reason tracebacks do not show the values of local variables.
"""

from __future__ import annotations

import io
import json
import logging
import sys
from typing import TYPE_CHECKING, Literal, TextIO

import structlog

from consumer.core.printable import printable
from consumer.core.secret import without_passwords
from consumer.errors import in_short
from consumer.observability.standard_streams import Terminal

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

    from consumer.observability.log_writer import LogWriter

LogFormat = Literal["json", "text"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

OWN_LOGGER = "consumer"

WITHOUT_TRACEBACK = frozenset({"aiobotocore", "botocore"})
"""Libraries that log failures with a traceback which the service expects and reports itself."""

_MANY_LINES = frozenset({"exception", "stack"})


def configure(level: LogLevel, log_format: LogFormat, stream: TextIO | LogWriter) -> None:
    """Write our own events and those of all libraries to `stream`. It may be called again.

    One handler of the standard library writes everything. It ignores errors of the stream, because
    a broken log must not stop the service.
    """
    if isinstance(stream, io.TextIOWrapper):
        # A lone surrogate must not cost the event.
        stream.reconfigure(errors="backslashreplace")
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder(), _name_source],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(log_format, stream),
            ],
        )
    )
    logging.raiseExceptions = False
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(logging.WARNING, logging.getLevelNamesMapping()[level]))
    logging.getLogger(OWN_LOGGER).setLevel(level)
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=_own_logger,
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def _own_logger(*_: object) -> logging.Logger:
    return logging.getLogger(OWN_LOGGER)


def _name_source(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Move the text of a library's message to a field, and name the event `library_message`."""
    record: logging.LogRecord = event["_record"]
    named = {
        **event,
        "event": "library_message",
        "logger": record.name,
        "message": event["event"],
        "action": "keep the line: it may explain what goes wrong; by itself it asks for nothing",
    }
    if record.name.partition(".")[0] in WITHOUT_TRACEBACK and "exc_info" in named:
        _, error, _ = named.pop("exc_info")
        named["detail"] = in_short(error)
    return named


def _renderers(log_format: LogFormat, stream: TextIO | LogWriter) -> list[Processor]:
    match log_format:
        case "json":
            render: list[Processor] = [structlog.processors.JSONRenderer(serializer=_json)]
        case "text":
            colors = stream.isatty() and not isinstance(stream, Terminal)
            formatter = structlog.dev.plain_traceback
            renderer = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=formatter)
            render = [_for_people, renderer]
    return [structlog.processors.format_exc_info, *render, _hide_passwords]


def _for_people(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Show control characters as text. The renderer shows values of other types by their repr."""
    return {
        printable(str(name)): printable(value, keep="\n" if name in _MANY_LINES else "")
        if isinstance(value, str)
        else value
        for name, value in event.items()
    }


def _hide_passwords(_: WrappedLogger, __: str, line: EventDict) -> str:
    return without_passwords(str(line))  # it is what the renderer has made


def _json(event: EventDict, **_: object) -> str:
    """Return an event as JSON, whatever its values are, so that no event is lost."""
    order = ("timestamp", "level", "event")
    first = {name: event.pop(name) for name in order if name in event}
    return json.dumps({**first, **event}, default=repr, skipkeys=True, separators=(",", ":"))


def configure_command() -> None:
    """Configure logs for every command but `run`: warnings, as text on stderr beside the result."""
    configure("WARNING", "text", sys.stderr)
