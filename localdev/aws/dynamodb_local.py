"""Starts DynamoDB Local, where Java and the jar are present (see `fetch_dynamodb_local`)."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from localdev.aws.process import AwsProcess, keep_reading, stop

if TYPE_CHECKING:
    from collections.abc import Iterator

DIRECTORY = Path(".run/dynamodb-local")
JAR = "DynamoDBLocal.jar"
_START_SECONDS = 120.0
_TRY_AGAIN_SECONDS = 0.05


def jar(directory: Path = DIRECTORY) -> Path | None:
    """Return the jar below a directory, None when it was not fetched or Java is missing."""
    if shutil.which("java") is None:
        return None
    return next(iter(sorted(directory.rglob(JAR))), None)


def free_port() -> int:
    """Return a port that is free now (DynamoDB Local cannot choose one itself)."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def dynamodb_local(directory: Path = DIRECTORY) -> Iterator[AwsProcess]:
    """Run DynamoDB Local in memory on a free port until the block ends.

    It listens on every address: the jar has no option for one. Raise FileNotFoundError without it.
    """
    program = jar(directory)
    if program is None:
        raise FileNotFoundError(f"no Java, or no {JAR} below {directory}")
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="dynamodb-local-") as scratch:
        process = subprocess.Popen(
            _command(program.resolve(), port),
            cwd=scratch,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None  # noqa: S101 - it is a pipe
                keep_reading(process.stdout)
                _wait_for(process, port)
                yield AwsProcess(f"http://127.0.0.1:{port}", process.pid)
            finally:
                stop(process)


def _command(program: Path, port: int) -> list[str]:
    libraries = program.parent / "DynamoDBLocal_lib"
    return [
        "java",
        "-XX:TieredStopAtLevel=1",  # half the processor time: it never runs long enough for more
        f"-Djava.library.path={libraries}",
        "-jar",
        str(program),
        "-inMemory",
        "-disableTelemetry",
        "-port",
        str(port),
    ]


def _wait_for(process: subprocess.Popen[str], port: int) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(_TRY_AGAIN_SECONDS)
    raise RuntimeError("DynamoDB Local did not start")
