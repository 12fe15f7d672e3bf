"""The server as a process of its own, for tests and for the demo."""

import json
import os
import select
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

START_SECONDS: Final = 120.0
STOP_SECONDS: Final = 5.0
CONTROL_SECONDS: Final = 120.0  # a large fill takes its time


@dataclass(frozen=True, slots=True)
class StreamsProcess:
    """A running server: `url` is the endpoint of DynamoDB Streams and of DynamoDB."""

    url: str
    pid: int

    def control(self, command: str, **members: object) -> dict[str, object]:
        """Run a command of `localdev.streams.control.control`; block until it is done.

        Raise ValueError with the reason where it cannot be done.
        """
        request = urllib.request.Request(  # noqa: S310 - our own server
            f"{self.url}/control/{command.replace('_', '-')}", data=json.dumps(members).encode()
        )
        try:
            with urllib.request.urlopen(request, timeout=CONTROL_SECONDS) as answer:  # noqa: S310 - see above
                result: dict[str, object] = json.load(answer)
                return result
        except urllib.error.HTTPError as error:
            with error:
                raise ValueError(error.read().decode()) from None

    def environment(self) -> dict[str, str]:
        """Return what makes an AWS SDK use this server and nothing else."""
        return {
            "AWS_ENDPOINT_URL_DYNAMODB": self.url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.url,
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",  # pragma: allowlist secret
        }


@contextmanager
def streams_process(*arguments: str) -> Iterator[StreamsProcess]:
    """Run `python -m localdev.streams` with these arguments on a free port of 127.0.0.1.

    Raise RuntimeError if it does not start.
    """
    command = (sys.executable, "-m", "localdev.streams", "--port", "0", *arguments)
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        try:
            yield StreamsProcess(_first_line(process), process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()


def _first_line(process: subprocess.Popen[bytes]) -> str:
    """Return the URL that the server prints once it listens."""
    if process.stdout is None:
        raise RuntimeError("the server's output is not a pipe")
    readable, _, _ = select.select([process.stdout], [], [], START_SECONDS)
    line = os.read(process.stdout.fileno(), 1000).decode().strip() if readable else ""
    if not line.startswith("http://"):
        raise RuntimeError(f"the streams server did not start: exit code {process.poll()}")
    return line
