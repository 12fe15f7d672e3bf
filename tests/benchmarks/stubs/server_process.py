"""Stub servers as processes of their own, so that only the consumer's work counts as its."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from localdev.aws.process import stop

CONTROL_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class ServerProcess:
    url: str

    def ask(self, command: str) -> Any:
        """The answer to GET /control/<command>."""
        with urllib.request.urlopen(
            f"{self.url}/control/{command}", timeout=CONTROL_SECONDS
        ) as answer:
            body = answer.read()
        return json.loads(body) if body else None


@contextmanager
def server_process(name: str, *arguments: object) -> Iterator[ServerProcess]:
    """Run `python -m tests.benchmarks.stubs.<name>` until the block ends.

    The first line that it prints is its URL.
    """
    command = [sys.executable, "-m", f"tests.benchmarks.stubs.{name}", *map(str, arguments)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            if not url:
                raise RuntimeError(f"{name} did not start")
            yield ServerProcess(url)
        finally:
            stop(process)
