"""What a terminal is given: text, and never a command or a password of somebody else."""

from __future__ import annotations

import io
import json
import logging
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import structlog

from consumer.commands.columns import columns
from consumer.observability import logs
from consumer.observability.standard_streams import Terminal, control
from tests.full_pipe import full_pipe
from tests.patience import PATIENCE
from tests.unit.observability.test_logs import restored

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["restored"]
EVIL = "a\x1b[2J\x9b31m\x07\r\u202eb"
SHOWN = "a\\u001b[2J\\u009b31m\\u0007\\u000d\\u202eb"
URL, HIDDEN = "http://user:word@proxy:3128", "http://***@proxy:3128"
log = structlog.get_logger()


@pytest.fixture
def raw() -> io.BytesIO:
    return io.BytesIO()


@pytest.fixture
def terminal(raw: io.BytesIO) -> Terminal:
    return Terminal(raw, encoding="utf-8", write_through=True)


def test_a_terminal_shows_commands_as_text(raw: io.BytesIO, terminal: Terminal) -> None:
    print(EVIL, URL, file=terminal)
    control(terminal, "\x1b[H")
    assert raw.getvalue().decode() == f"{SHOWN} {HIDDEN}\n\x1b[H"


def test_a_traceback_shows_commands_as_text(
    raw: io.BytesIO, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", terminal)
    error = ValueError(f"{EVIL} {URL}")
    sys.__excepthook__(ValueError, error, None)
    assert raw.getvalue().decode() == f"ValueError: {SHOWN} {HIDDEN}\n"


def test_a_cell_makes_no_lines() -> None:
    rows = [("shard", "owner"), ("s-1\ns-2", EVIL), ("s-3", "w")]
    assert columns(rows).splitlines() == [
        "shard         owner",
        f"s-1\\u000as-2  {SHOWN}",
        "s-3           w",
    ]


def told(log_format: logs.LogFormat) -> str:
    stream = io.StringIO()
    logs.configure("INFO", log_format, stream)
    try:
        raise ValueError(f"{EVIL} {URL}")
    except ValueError:
        log.exception("failed", detail=f"{EVIL}\n{URL}", **{EVIL: [EVIL]})
    logging.getLogger("aiohttp").warning("%s %s", EVIL, URL)
    log.warning(EVIL)
    return stream.getvalue()


@pytest.mark.parametrize("log_format", ["json", "text"])
def test_no_log_line_has_commands_or_passwords(log_format: logs.LogFormat) -> None:
    text = told(log_format)
    assert text.replace("\n", "").isprintable()
    assert "word" not in text
    assert text.count("***@") >= 3
    if log_format == "json":
        assert [json.loads(line)["level"] for line in text.splitlines()] == [
            "error",
            "warning",
            "warning",
        ]
        assert json.loads(text.splitlines()[0])["detail"] == f"{EVIL}\n{HIDDEN}"
    else:
        assert "\\u000a" in text.splitlines()[0]  # a field stays on its line


def test_a_library_whose_failures_are_known_shows_no_traceback() -> None:
    stream = io.StringIO()
    logs.configure("INFO", "json", stream)
    try:
        raise ValueError("the source\nis " + "x" * 500)
    except ValueError:
        for name in ("botocore.credentials", "aiobotocore.credentials", "aiohttp.server"):
            logging.getLogger(name).warning("Refreshing credentials failed.", exc_info=True)
    *ours, other = [json.loads(line) for line in stream.getvalue().splitlines()]
    for line in ours:
        assert line["message"] == "Refreshing credentials failed."
        assert line["detail"].startswith("ValueError: the source is xxx")
        assert len(line["detail"]) < 250
        assert "Traceback" not in json.dumps(line)
    assert "Traceback" in other["exception"]


@pytest.mark.parametrize("command", ["settings", "no-such-command"])
def test_missing_streams_are_no_reason_to_fail(command: str) -> None:
    """`consumer` ends as it does with streams: 0, or 2 for a mistake."""
    words = f"{sys.executable} -m consumer {command}"
    script = f"exec {words} <&- >&- 2>&-"
    ended = subprocess.run(["sh", "-c", script], env={}, timeout=PATIENCE, check=False)
    assert ended.returncode == (0 if command == "settings" else 2)


@pytest.mark.parametrize(
    ("command", "environ"),
    [
        ("run", {"CONSUMER_FOO": "x"}),
        ("check", {"CONSUMER_FOO": "x" * 10_000}),
        ("no-such-command", {}),
    ],
)
def test_an_error_that_nobody_reads_keeps_no_process_from_ending(
    command: str, environ: dict[str, str]
) -> None:
    reader, writer = full_pipe()
    try:
        ended = subprocess.run(
            [sys.executable, "-m", "consumer", command],
            env=environ,
            stdout=writer,
            stderr=writer,
            timeout=PATIENCE,
            check=False,
        )
    finally:
        os.close(writer)
        os.close(reader)
    assert ended.returncode == 2


def test_an_error_that_cannot_be_written_leaves_the_exit_code() -> None:
    reader, broken = os.pipe()
    os.close(reader)
    for stderr in (broken, os.open("/dev/full", os.O_WRONLY)):
        ended = subprocess.run(
            [sys.executable, "-m", "consumer", "no-such-command"],
            env={"PYTHONUNBUFFERED": "1"},
            stderr=stderr,
            timeout=PATIENCE,
            check=False,
        )
        os.close(stderr)
        assert ended.returncode == 2


def test_a_long_error_is_written_as_long_as_somebody_reads() -> None:
    program = (
        "import sys;"
        "from consumer.observability.standard_streams import prepare; prepare();"
        "print('x' * 500_000, file=sys.stderr)"
    )
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, timeout=PATIENCE, check=False
    )
    assert ended.stderr == b"x" * 500_000 + b"\n"


def test_no_socket_takes_the_place_of_a_missing_stream() -> None:
    program = (
        "import os, socket, subprocess;"
        "from consumer.observability.standard_streams import prepare; prepare();"
        "low = socket.socket().fileno();"
        "print('goes nowhere');"
        "code = subprocess.call(['sh', '-c', 'echo x']);"
        "os._exit(low if code == 0 else 99)"
    )
    for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
        script = f'exec {sys.executable} -c "{program}" {closed}'
        arguments: Sequence[str] = ["sh", "-c", script]
        ended = subprocess.run(arguments, timeout=PATIENCE, check=False, stdout=subprocess.DEVNULL)
        assert 3 <= ended.returncode < 99


def test_the_command_shows_what_it_quotes_as_text() -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "consumer", "settings", "\x1b[2J", URL],
        env={},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == f"consumer: unrecognized arguments: \\u001b[2J {HIDDEN}\n"
