"""One consumer: a process of `consumer run`, as in the image."""

import json
import re
import signal
import sys
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from localdev.demo.logged_process import LoggedProcess, logged_process

_ANSWER_SECONDS = 1.0
_START_BYTES = 4096
_PORT = re.compile(r"http_port=(\d+)")
_AGE = re.compile(r"^consumer_iterator_age_seconds\{.*\} (\S+)$", re.MULTILINE)
_BY_USER = {-signal.SIGKILL, -signal.SIGTERM, -signal.SIGINT}


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A worker's state now; `leases` and `age` (seconds) are None while it does not answer."""

    name: str
    pid: int
    state: str
    url: str | None
    leases: int | None
    age: float | None


class Worker:
    """A consumer process and its HTTP endpoint."""

    def __init__(self, name: str, process: LoggedProcess) -> None:
        self.name = name
        self.process = process
        self._url: str | None = None
        self._stopping = False
        self._hung = False

    @property
    def killed(self) -> bool:
        """Whether a signal that we did not send ended it."""
        return not self._stopping and self.process.returncode in _BY_USER

    @property
    def failed(self) -> bool:
        """Whether it ended with a failure."""
        code = self.process.returncode
        return code is not None and code != 0 and not self.killed

    def ask_to_stop(self) -> None:
        """Send SIGTERM if the worker runs."""
        if self.process.returncode is None:
            self._stopping = True
            self.process.ask_to_stop()

    def wait(self, seconds: float) -> None:
        """Wait until it ends; kill it after a number of seconds, which counts as a failure."""
        self._hung = not self.process.wait(seconds)

    def look(self) -> WorkerView:
        """Request its state over HTTP."""
        url = self._url = self._url or self._find_url()
        state = self.state
        leases, age = None, None
        if state == "running" and url is not None:
            try:
                leases = len(json.loads(_get(f"{url}/status"))["shards"])
                ages = [float(text) for text in _AGE.findall(_get(f"{url}/metrics").decode())]
                age = max(ages, default=None)
            except OSError:
                state = "does not answer"
        return WorkerView(self.name, self.process.pid, state, url, leases, age)

    @property
    def state(self) -> str:
        """Starting, running, or how it ended, in a few words."""
        code = self.process.returncode
        if code is None:
            return "running" if self._url else "starting"
        if self._hung:
            return "did not end when asked to"
        return f"killed by signal {-code}" if code < 0 else f"ended with exit code {code}"

    def _find_url(self) -> str | None:
        """Return its URL: it takes a free port, which the first lines of its log name."""
        with self.process.log.open("rb") as log:
            found = _PORT.search(log.read(_START_BYTES).decode(errors="replace"))
        return f"http://127.0.0.1:{found[1]}" if found else None


@contextmanager
def worker(name: str, directory: Path, environ: Mapping[str, str]) -> Iterator[Worker]:
    """Run the consumer that is installed beside this Python."""
    command = (Path(sys.executable).with_name("consumer"), "run")
    with logged_process(command, directory / f"{name}.log", environ) as process:
        yield Worker(name, process)


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS) as answer:  # noqa: S310 - our own
        body: bytes = answer.read()
        return body
