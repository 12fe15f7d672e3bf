"""What is said of a worker by how it ended: processes that end so, instead of consumers."""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from localdev.demo.logged_process import logged_process
from localdev.demo.worker import Worker
from tests.patience import PATIENCE

LONG = "import time; print('begun', flush=True); time.sleep(60)"
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + LONG
KIND = "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0)); " + LONG


class Workers:
    """Starts what stands for a consumer; all are gone when the test ends."""

    def __init__(self, stack: ExitStack, directory: Path) -> None:
        self._stack = stack
        self._directory = directory

    def start(self, program: str) -> Worker:
        log = self._directory / "log"
        command = (sys.executable, "-c", program)
        return Worker("w", self._stack.enter_context(logged_process(command, log, os.environ)))

    def start_and_wait(self, program: str) -> Worker:
        worker = self.start(program)
        while not worker.process.last_lines(1):
            assert worker.process.returncode is None
        return worker


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Workers]:
    with ExitStack() as stack:
        yield Workers(stack, tmp_path)


def test_one_that_runs_is_neither_killed_nor_failed(workers: Workers) -> None:
    worker = workers.start_and_wait(LONG)
    assert (worker.killed, worker.failed, worker.state) == (False, False, "starting")


def test_one_that_ends_when_asked_is_fine(workers: Workers) -> None:
    worker = workers.start_and_wait(KIND)
    worker.ask_to_stop()
    worker.wait(PATIENCE)
    assert (worker.killed, worker.failed, worker.state) == (False, False, "ended with exit code 0")


def test_one_that_a_user_kills_is_not_a_failure(workers: Workers) -> None:
    worker = workers.start_and_wait(LONG)
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.wait(PATIENCE)
    worker.ask_to_stop()
    assert (worker.killed, worker.failed, worker.state) == (True, False, "killed by signal 9")


def test_one_that_crashes_has_failed(workers: Workers) -> None:
    worker = workers.start_and_wait(LONG)
    os.kill(worker.process.pid, signal.SIGSEGV)
    worker.wait(PATIENCE)
    assert (worker.killed, worker.failed) == (False, True)


def test_one_that_ends_by_itself_with_an_error_has_failed(workers: Workers) -> None:
    worker = workers.start("import sys; sys.exit('out of luck')")
    worker.wait(PATIENCE)
    assert worker.failed
    assert worker.state == "ended with exit code 1"
    assert worker.process.last_lines(5) == ["out of luck"]


def test_one_that_dies_of_the_request_to_end_has_failed(workers: Workers) -> None:
    worker = workers.start_and_wait(LONG)
    worker.ask_to_stop()
    worker.wait(PATIENCE)
    assert (worker.killed, worker.failed) == (False, True)


def test_one_that_does_not_end_is_killed_and_has_failed(workers: Workers) -> None:
    worker = workers.start_and_wait(DEAF)
    worker.ask_to_stop()
    worker.wait(0.1)
    assert worker.process.returncode == -signal.SIGKILL
    assert worker.failed
    assert worker.state == "did not end when asked to"
