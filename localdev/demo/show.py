"""The show itself: servers, workload and consumers, and what became of the changes.

Run by `localdev.demo`, in a process group of its own; ends early on SIGTERM, at once on a second.
"""

import signal
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console

from localdev.demo.arguments import Arguments, parse
from localdev.demo.evidence import read_dead_letters, read_log, read_stream
from localdev.demo.judge import judge
from localdev.demo.logged_process import LoggedProcess, logged_process
from localdev.demo.screen import Screen
from localdev.demo.stage import EVENT_TYPE, TABLE, Stage, stage
from localdev.demo.watch import Watch
from localdev.demo.worker import Worker, worker

DIRECTORY = Path(".run/demo")
LOOK_SECONDS = 0.5
DRAIN_SECONDS = 20.0  # a worker killed at the end is replaced within 15
STOP_SECONDS = 35.0  # CONSUMER_DRAIN_SECONDS and ten more
_LINES = 15  # of the log of what failed


class Show:
    """One run, from curtain to summary."""

    def __init__(self, asked: Arguments, stage: Stage, servers: ExitStack, screen: Screen) -> None:
        self._asked = asked
        self._stage = stage
        self._screen = screen
        self._stop_asked = False
        self._gone: set[str] = set()
        self._workers = [
            servers.enter_context(worker(f"worker-{number}", DIRECTORY, stage.consumer_environ))
            for number in range(1, asked.workers + 1)
        ]
        command = (sys.executable, "-m", "localdev.workload", "--table", TABLE)
        self._workload = servers.enter_context(
            logged_process(command, DIRECTORY / "workload.log", stage.environ)
        )
        self._watch = Watch(stage, self._workload, self._workers)

    def run(self) -> int:
        """Return the exit code: 1 if anything was lost, out of order or failed."""
        seconds = self._asked.duration
        phase = f"running for {seconds:g} s" if seconds else "running until Ctrl-C"
        self._look_until(lambda: self._ended or self._workload.returncode is not None, phase, seconds)
        self._workload.ask_to_stop()
        workload_failed = not self._workload.wait(STOP_SECONDS) or self._workload.returncode != 0
        if workload_failed:
            self._show_end_of("the workload", self._workload)
        before = read_stream(self._stage.stream_arn, self._stage.environ)
        expected = set(before.changes)
        ...
