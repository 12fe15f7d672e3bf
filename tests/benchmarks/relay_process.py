"""A relay under measurement: `consumer run` or the plain one, in a process of its own."""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from localdev.aws.process import REGION
from tests.benchmarks.prepared_stream import STREAM_ARN

LOOK_SECONDS = 0.05
STOP_SECONDS = 40.0
CONSUMER = (sys.executable, "-m", "tests.benchmarks.measured.as_installed")
"""As a module: so it is the code of the folder in which the benchmark was started."""

RUN = (*CONSUMER, "run")


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process used in a span of time; the peak counts from its start."""

    cpu_seconds: float  # user and system, all threads
    wall_seconds: float
    peak_rss: int  # bytes


@dataclass(frozen=True, slots=True)
class End:
    """How a process ended, and what it used from its start."""

    exit_code: int
    cpu_seconds: float


class RelayProcess:
    def __init__(self, process: subprocess.Popen[bytes], log: Path, started_at: float) -> None:
        self._process = process
        self._log = log
        self._seen = psutil.Process(process.pid)
        self.started_at = started_at  # monotonic
        self.peak_rss = 0

    def until(self, true: Callable[[], bool], seconds: float) -> Usage:
        """Wait. Raises RuntimeError with the log's end if it takes longer or the process ends."""
        wall, cpu = time.monotonic(), self._cpu()
        while not true():
            if self._process.poll() is not None or time.monotonic() > wall + seconds:
                tail = self._log.read_text()[-3000:]
                raise RuntimeError(f"the relay did not get there in {seconds} s:\n{tail}")
            self.peak_rss = max(self.peak_rss, self._seen.memory_info().rss)
            time.sleep(LOOK_SECONDS)
        return Usage(self._cpu() - cpu, time.monotonic() - wall, self.peak_rss)

    def rest(self, seconds: float) -> Usage:
        """Let it run on for a while."""
        end = time.monotonic() + seconds
        return self.until(lambda: time.monotonic() >= end, seconds + 1)

    def terminate(self) -> None:
        """Send SIGTERM."""
        self._process.terminate()

    def ended(self) -> End:
        """Wait for its end. Raises TimeoutExpired."""
        deadline = time.monotonic() + STOP_SECONDS
        used = self._cpu()
        while self._process.poll() is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self._process.args, STOP_SECONDS)
            with suppress(psutil.NoSuchProcess):
                used = self._cpu()
            time.sleep(LOOK_SECONDS)
        return End(self._process.returncode, used)

    @property
    def cpu_seconds(self) -> float:
        """What it used so far."""
        return self._cpu()

    def _cpu(self) -> float:
        times = self._seen.cpu_times()
        return times.user + times.system


@contextmanager
def relay_process(command: Sequence[str], environment: dict[str, str]) -> Iterator[RelayProcess]:
    """Run a relay until the block ends."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        log = Path(folder, "log")
        with log.open("wb") as out:
            started_at = time.monotonic()
            process = subprocess.Popen(
                command,
                env={"PATH": os.environ["PATH"], **environment},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        with process:
            try:
                yield RelayProcess(process, log, started_at)
            finally:
                process.terminate()
                try:
                    process.wait(STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()


def aws_environment(streams_url: str, dynamodb_url: str = "") -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": streams_url,
        "AWS_ENDPOINT_URL_DYNAMODB": dynamodb_url or streams_url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
    }


def new_application() -> str:
    """A name whose lease table rows do not exist yet."""
    return f"benchmark-{uuid.uuid4().hex[:8]}"


@contextmanager
def consumer_process(
    streams_url: str,
    dynamodb_url: str,
    nakadi_url: str,
    application: str,
    *,
    command: Sequence[str] = RUN,
    **settings: str,
) -> Iterator[RelayProcess]:
    """`consumer run` with default settings, or with these, or another command instead."""
    environment = {
        **aws_environment(streams_url, dynamodb_url),
        "CONSUMER_APPLICATION": application,
        "CONSUMER_STREAM_ARN": STREAM_ARN,
        "CONSUMER_NAKADI_URL": nakadi_url,
        "CONSUMER_EVENT_TYPE": "order-store.order",
        "CONSUMER_HTTP_HOST": "127.0.0.1",
        "CONSUMER_HTTP_PORT": "0",
        **{f"CONSUMER_{name.upper()}": value for name, value in settings.items()},
    }
    with relay_process(command, environment) as process:
        yield process


@contextmanager
def plain_relay_process(streams_url: str, nakadi_url: str) -> Iterator[RelayProcess]:
    command = [sys.executable, "-m", "tests.benchmarks.plain_relay", STREAM_ARN, nakadi_url]
    with relay_process(command, aws_environment(streams_url)) as process:
        yield process
