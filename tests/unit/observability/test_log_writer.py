"""A log that nobody reads stops nobody: lines are dropped, counted, and the count is told."""

from __future__ import annotations

import json
import logging
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import structlog

from consumer.observability import log_writer, logs
from consumer.observability.log_writer import LogWriter
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

log = structlog.get_logger()
PIPE_BYTES = 65_536


@pytest.fixture(autouse=True)
def restored(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    root, own = logging.getLogger(), logging.getLogger(logs.OWN_LOGGER)
    before = root.handlers[:], root.level, own.level, logging.raiseExceptions
    monkeypatch.setattr(log_writer, "MAX_WAITING", 20_000)
    monkeypatch.setattr(log_writer, "CLOSE_SECONDS", 0.05)
    yield
    root.handlers[:], level, own_level, logging.raiseExceptions = before
    root.setLevel(level)
    own.setLevel(own_level)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    reader, writer = os.pipe()
    yield reader, writer
    for descriptor in (reader, writer):
        with suppress(OSError):  # the test has closed it
            os.close(descriptor)


def until(true: Callable[[], bool]) -> None:
    give_up_at = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < give_up_at
        time.sleep(0.001)


def fill(descriptor: int) -> None:
    """Write to a pipe until it is full."""
    os.set_blocking(descriptor, False)
    for size in (4096, 1):  # what fits into a page of the pipe is written whole or not at all
        with suppress(BlockingIOError):
            while True:
                os.write(descriptor, b"\n" * size)
    os.set_blocking(descriptor, True)


def lines_of(reader: int, last: str) -> list[dict[str, Any]]:
    """Read the log up to an event."""
    data = b""
    while f'"{last}"'.encode() not in data or not data.endswith(b"\n"):
        data += os.read(reader, PIPE_BYTES)
    return [json.loads(line) for line in data.split(b"\n") if line.strip()]


def test_nobody_waits_for_a_pipe_that_is_full(pipe: tuple[int, int]) -> None:
    dropped: list[int] = []
    reader, descriptor = pipe
    fill(descriptor)
    writer = LogWriter(descriptor, dropped.append)
    logs.configure("INFO", "json", writer)
    for number in range(1000):
        log.info("line", number=number)
    until(lambda: sum(dropped) > 0)
    lines = lines_of(reader, "log_lines_dropped")
    written = [line["number"] for line in lines if line["event"] == "line"]
    (told,) = [line for line in lines if line["event"] == "log_lines_dropped"]
    assert written == list(range(len(written)))
    assert 20 < len(written) < 1000
    assert told["count"] == sum(dropped) == 1000 - len(written)
    log.info("afterwards")
    assert [line["event"] for line in lines_of(reader, "afterwards")] == ["afterwards"]
    writer.close()


def test_a_full_pipe_does_not_hold_up_the_end(pipe: tuple[int, int]) -> None:
    fill(pipe[1])
    writer = LogWriter(pipe[1], lambda _: None)
    writer.write("never seen\n")
    began = time.monotonic()
    writer.close()
    assert time.monotonic() - began < PATIENCE / 10
    os.read(pipe[0], PIPE_BYTES)  # the thread ends


def test_what_waits_is_written_at_the_end(pipe: tuple[int, int]) -> None:
    writer = LogWriter(pipe[1], lambda _: None)
    for number in range(100):
        writer.write(f"{number}\n")
    writer.close()
    writer.write("too late\n")
    assert os.read(pipe[0], PIPE_BYTES).decode().split() == [str(n) for n in range(100)]


def test_a_closed_pipe_costs_its_lines_only(pipe: tuple[int, int]) -> None:
    dropped: list[int] = []
    os.close(pipe[0])
    writer = LogWriter(pipe[1], dropped.append)
    logs.configure("INFO", "json", writer)
    for _ in range(5):
        log.info("into_the_void")
    until(lambda: sum(dropped) == 5)
    log.info("into_the_void")
    until(lambda: sum(dropped) == 6)
    writer.close()
    assert sum(dropped) == 6  # to say so would be dropped as well, again and again


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
def test_a_full_disk_costs_its_lines_only() -> None:
    dropped: list[int] = []
    descriptor = os.open("/dev/full", os.O_WRONLY)
    writer = LogWriter(descriptor, dropped.append)
    writer.write("a\n")
    until(lambda: sum(dropped) == 1)
    writer.close()
    os.close(descriptor)


def test_a_pipe_that_somebody_made_non_blocking(pipe: tuple[int, int]) -> None:
    reader, descriptor = pipe
    fill(descriptor)
    os.set_blocking(descriptor, False)
    writer = LogWriter(descriptor, lambda _: None)
    logs.configure("INFO", "json", writer)
    log.info("late")
    assert [line["event"] for line in lines_of(reader, "late")] == ["late"]
    writer.close()


def test_the_limit() -> None:
    assert log_writer.CHUNK <= PIPE_BYTES
