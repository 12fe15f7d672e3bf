"""Starts ministack (DynamoDB with Streams, and SQS) as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import deque
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

REGION = "eu-central-1"
_RUNNING = re.compile(r"Running on (http://\S+)")
_STOP_SECONDS = 5.0
_LINES_KEPT = 200


@dataclass(frozen=True, slots=True)
class AwsProcess:
    """A running server with AWS's protocol: its URL for every service, and its process id."""

    endpoint_url: str
    pid: int

    def environment(self) -> dict[str, str]:
        """Return the variables with which an AWS client finds it; any credentials are accepted."""
        return {
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
        }


def running_url(output: IO[str]) -> str | None:
    """Return the URL that a server prints; None if its output ends before."""
    for line in output:
        found = _RUNNING.search(line)
        if found:
            return found.group(1)
    return None


def keep_reading(output: IO[str]) -> None:
    """Read the rest of a server's output, so that it never blocks on a full pipe."""
    Thread(target=lambda: deque(output, maxlen=_LINES_KEPT), daemon=True).start()


def stop(process: subprocess.Popen[str]) -> None:
    """End a process: with SIGTERM, then with SIGKILL."""
    process.terminate()
    try:
        process.wait(_STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def local_aws(port: int = 0) -> Iterator[AwsProcess]:
    """Run ministack on 127.0.0.1 until the block ends; port 0 takes a free one.

    Everything that it writes goes to a directory that is removed at the end.
    """
    with tempfile.TemporaryDirectory(prefix="local-aws-") as scratch:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"],
            cwd=scratch,
            env={
                **os.environ,
                "BIND_HOST": "127.0.0.1",
                "GATEWAY_PORT": str(port),
                "PERSIST_STATE": "0",
                "S3_PERSIST": "0",
                "STATE_DIR": str(Path(scratch, "state")),
                "TMPDIR": scratch,
                "MINISTACK_REGION": REGION,
                "LOG_LEVEL": "INFO",
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        with process:
            try:
                assert process.stdout is not None  # noqa: S101 - it is a pipe
                url = running_url(process.stdout)
                if url is None:
                    raise RuntimeError("ministack did not start")
                keep_reading(process.stdout)
                yield AwsProcess(url, process.pid)
            finally:
                stop(process)
