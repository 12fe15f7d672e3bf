"""Structured logs: one line an event, JSON for machines or text for people.

An event has a short snake_case name and key=value fields; the content of items never appears.
So the libraries below us are heard from WARNING on, whatever our level: at DEBUG the AWS client
logs whole bodies. For the same reason tracebacks come without the values of local variables.
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
    """Send our own events and those of all libraries to `stream`. May be called again.

    Everything ends in one handler of the standard library, whose rule for a broken stream is to
    go on: a log that nobody reads must not stop the relay.
    """
    if isinstance(stream, io.TextIOWrapper):
        stream.reconfigure(errors="backslashreplace")  # a lone surrogate costs no event
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
    """A library's message is free text: keep it as a field under a name one can search for."""
    record: logging.LogRecord = event["_record"]
    return {
        **event,
        "event": "library_message",
        "logger": record.name,
        "message": event["event"],
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
    """Never fails, so that no event is lost to a value: any integer, any text, any object."""
    order = ("timestamp", "level", "event")
    first = {name: event.pop(name) for name in order if name in event}
    return json.dumps({**first, **event}, default=repr, skipkeys=True, separators=(",", ":"))


def configure_command(level: LogLevel = "WARNING") -> None:
    """Logs of every command but `run`: text on stderr, so that stdout is the command's answer."""
    configure(level, "text", sys.stderr)
