"""Structured logs: one line for each event, JSON for machines or text for people.

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

if TYPE_CHECKING:
    from structlog.typing import EventDict, Processor, WrappedLogger

LogFormat = Literal["json", "text"]
LogLevel = Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"]

OWN_LOGGER = "consumer"


def configure(level: LogLevel, log_format: LogFormat, stream: TextIO) -> None:
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
    return {
        **event,
        "event": "library_message",
        "logger": record.name,
        "message": event["event"],
        "action": "keep the line: it may explain what goes wrong; by itself it asks for nothing",
    }


def _renderers(log_format: LogFormat, stream: TextIO) -> list[Processor]:
    match log_format:
        case "json":
            return [
                structlog.processors.format_exc_info,
                structlog.processors.JSONRenderer(serializer=_json),
            ]
        case "text":
            return [
                structlog.dev.ConsoleRenderer(
                    colors=stream.isatty(), exception_formatter=structlog.dev.plain_traceback
                )
            ]


def _json(event: EventDict, **_: object) -> str:
    """Return an event as JSON, whatever its values are, so that no event is lost."""
    order = ("timestamp", "level", "event")
    first = {name: event.pop(name) for name in order if name in event}
    return json.dumps({**first, **event}, default=repr, skipkeys=True, separators=(",", ":"))


def configure_command(level: LogLevel = "WARNING") -> None:
    """Configure logs for every command but `run`: text on stderr, because stdout has the result."""
    configure(level, "text", sys.stderr)
