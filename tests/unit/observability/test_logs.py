"""Logs: one line an event, libraries kept quiet, nothing lost to an odd value."""

from __future__ import annotations

import io
import json
import logging
import warnings
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from consumer.observability import logs

if TYPE_CHECKING:
    from collections.abc import Iterator

log = structlog.get_logger()


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger(logs.OWN_LOGGER)
    before = root.handlers[:], root.level, own.level, logging.raiseExceptions
    yield
    root.handlers[:], level, own_level, logging.raiseExceptions = before
    root.setLevel(level)
    own.setLevel(own_level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def events(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_an_event_is_one_line_of_json(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    log.info("lease_taken", shard="shardId-1", text="a\nb")
    (event,) = events(stream)
    assert list(event)[:3] == ["timestamp", "level", "event"]
    assert event["timestamp"].endswith("Z")
    assert event["level"] == "info"
    assert (event["event"], event["shard"], event["text"]) == ("lease_taken", "shardId-1", "a\nb")


def test_text_is_for_people(stream: io.StringIO) -> None:
    logs.configure("INFO", "text", stream)
    log.warning("lease_lost", shard="shardId-1")
    assert "lease_lost" in stream.getvalue()
    assert "shard=shardId-1" in stream.getvalue()
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_event_is_lost_to_an_odd_value(log_format: logs.LogFormat) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)
    logs.configure("INFO", log_format, stream)
    log.info("odd", big=2**70, lone="\ud800", thing=object(), raw=b"\xff", pairs={(1, 2): 3})
    log.info("\ud800")
    assert len(raw.getvalue().splitlines()) == 2
    assert b"odd" in raw.getvalue()


def test_the_level_is_ours(stream: io.StringIO) -> None:
    logs.configure("WARNING", "json", stream)
    log.info("quiet")
    log.warning("loud")
    logs.configure("DEBUG", "json", stream)
    log.debug("now_heard")
    assert [event["event"] for event in events(stream)] == ["loud", "now_heard"]


@pytest.mark.parametrize("name", ["botocore.parsers", "aiobotocore", "httpx", "aiohttp.server"])
def test_libraries_are_heard_from_warning_on_whatever_our_level(
    stream: io.StringIO, name: str
) -> None:
    logs.configure("DEBUG", "json", stream)
    logging.getLogger(name).debug("Response body: %s", "an item")
    logging.getLogger(name).info("HTTP Request")
    logging.getLogger(name).warning("retry %d", 3, extra={"attempt": 3})
    (event,) = events(stream)
    assert event["event"] == "library_message"
    assert (event["logger"], event["message"], event["attempt"]) == (name, "retry 3", 3)


def test_a_higher_level_holds_for_libraries_too(stream: io.StringIO) -> None:
    logs.configure("ERROR", "json", stream)
    logging.getLogger("aiohttp").warning("late")
    assert events(stream) == []


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_a_traceback_does_not_show_local_variables(
    stream: io.StringIO, log_format: logs.LogFormat
) -> None:
    logs.configure("INFO", log_format, stream)
    item = "content of an item"[::-1]
    try:
        raise KeyError
    except KeyError:
        log.exception("failed")
    assert "KeyError" in stream.getvalue()
    assert item not in stream.getvalue()
    assert item[::-1] not in stream.getvalue().replace('item = "content of an item"[::-1]', "")


def test_warnings_of_python_are_events_too(stream: io.StringIO) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logs.configure("INFO", "json", stream)
        warnings.warn("old", stacklevel=1)
        logging.captureWarnings(capture=False)
    (event,) = events(stream)
    assert event["logger"] == "py.warnings"


def test_a_broken_stream_does_not_stop_the_service(capsys: pytest.CaptureFixture[str]) -> None:
    class Gone(io.StringIO):
        def write(self, _: str) -> int:
            raise BrokenPipeError

    logs.configure("INFO", "json", Gone())
    log.info("into_the_void")
    assert capsys.readouterr().err == ""


def test_configuring_twice_does_not_double_events(stream: io.StringIO) -> None:
    logs.configure("INFO", "json", stream)
    logs.configure("INFO", "json", stream)
    log.info("once")
    assert len(events(stream)) == 1


def test_commands_log_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    logs.configure_command()
    log.warning("look_here")
    log.info("not_this")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "look_here" in captured.err
    assert "not_this" not in captured.err
