"""Runs the demo: servers, workload and consumers, and a summary at the end.

Run by `localdev.demo`, in a process group of its own. A first SIGTERM ends it early, with a
summary, a second one at once.
"""

import os
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from types import FrameType

from rich.console import Console

from localdev.demo.arguments import Arguments, parse
from localdev.demo.evidence import Evidence
from localdev.demo.judge import judge
from localdev.demo.logged_process import LoggedProcess, logged_process
from localdev.demo.screen import Screen
from localdev.demo.stage import EVENT_TYPE, TABLE, Stage, stage
from localdev.demo.watch import Snapshot, Watch
from localdev.demo.worker import Worker, worker

DIRECTORY = Path(".run/demo")
LOOK_SECONDS = 0.5
START_SECONDS = 120.0  # longest wait for the first event, if the demo has a duration
DRAIN_SECONDS = 120.0  # on an idle machine, 15 s are enough to replace a killed worker
STOP_SECONDS = 60.0  # the consumer's own drain, with time to spare for a slow machine
_LINES = 15  # printed of the log of a process that failed


class Stop:
    """Asks the demo to end after a signal or the parent's end; a second signal interrupts it."""

    def __init__(self) -> None:
        self._asked = False
        self._parent = os.getppid()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    @property
    def asked(self) -> bool:
        """Whether the demo is to end, with a summary."""
        return self._asked or os.getppid() != self._parent

    def _ask(self, _: int, __: FrameType | None) -> None:
        if self._asked:
            raise KeyboardInterrupt
        self._asked = True


class Show:
    """The demo's processes, from the first change to the summary."""

    def __init__(self, asked: Arguments, stage: Stage, processes: ExitStack, stop: Stop) -> None:
        self._asked = asked
        self._stage = stage
        self._stop = stop
        self._workers = [
            processes.enter_context(worker(f"worker-{number}", DIRECTORY, stage.consumer_environ))
            for number in range(1, asked.workers + 1)
        ]
        command = (sys.executable, "-m", "localdev.workload", "--table", TABLE)
        self._workload = processes.enter_context(
            logged_process(command, DIRECTORY / "workload.log", stage.environ)
        )
        self._evidence = Evidence(stage)
        self._watch = Watch(stage, self._evidence, self._workload, self._workers)
        self._screen = Screen(Console(highlight=False))
        self._ended: list[Worker] = []  # workers whose end was printed
        self._urls: set[str] = set()  # of workers, as printed
        self._failed = False

    def run(self) -> int:
        """Return the exit code: 1 if anything was lost, came out of order or failed."""
        with self._screen:
            self._introduce()
            self._play()
            self._end_workload()
            self._drain()
            self._end_workers()
        content = self._evidence.stream()
        verdict = judge(content.changes, self._evidence.log(), self._evidence.dead_letters())
        self._screen.show_verdict(verdict, content.shards)
        return 0 if verdict.good and not self._failed else 1

    def _introduce(self) -> None:
        say = self._screen.say
        say(f"stream      {self._stage.stream_arn}")
        say(f"Nakadi      {self._stage.nakadi.url}/event-types/{EVENT_TYPE}")
        for each in self._workers:
            say(f"{each.name}    process {each.process.pid}, log in {each.process.log}")
        if self._asked.splitting:
            pid = self._workers[-1].process.pid
            say(f"Shards split while this runs. In another terminal, try: kill -9 {pid}", "bold")

    def _play(self) -> None:
        """Let the workload run for as long as was asked for, while there are workers.

        The time begins with the first event: a slow machine shows as much as a fast one.
        """
        seconds, begun = self._asked.duration, False
        phase = f"running for {seconds:g} s" if seconds else "running until Ctrl-C"
        deadline = time.monotonic() + START_SECONDS
        while not self._stop.asked and self._workload.returncode is None:
            if len(self._ended) == len(self._workers):
                return
            if seconds and time.monotonic() > deadline:
                return
            if self._look(phase).accepted and not begun:
                begun, deadline = True, time.monotonic() + seconds
            time.sleep(LOOK_SECONDS)

    def _end_workload(self) -> None:
        self._workload.ask_to_stop()
        if not self._workload.wait(STOP_SECONDS) or self._workload.returncode != 0:
            self._failed = True
            self._show_log("the workload failed", self._workload)

    def _drain(self) -> None:
        """Wait until every change is an event or a dead letter, at most `DRAIN_SECONDS`."""
        expected = set(self._evidence.stream().changes)
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(self._ended) < len(self._workers) and time.monotonic() < deadline:
            self._look("the workload has ended, the last events are on their way")
            missing = expected.difference(self._evidence.log())
            if len(missing) <= self._evidence.dead_letter_count():
                return
            time.sleep(LOOK_SECONDS)

    def _end_workers(self) -> None:
        for each in self._workers:
            each.ask_to_stop()
        for each in self._workers:
            each.wait(STOP_SECONDS)
        self._tell_ends()

    def _look(self, phase: str) -> Snapshot:
        snapshot = self._watch.look()
        self._screen.show(snapshot, phase)
        for view in snapshot.workers:
            if view.url is not None and view.url not in self._urls:
                self._urls.add(view.url)
                self._screen.say(f"{view.name}    {view.url}/status and /metrics")
        for text in self._watch.new_samples():
            self._screen.show_event(text)
        self._tell_ends()
        return snapshot

    def _tell_ends(self) -> None:
        for each in self._workers:
            if each.process.returncode is not None and each not in self._ended:
                self._ended.append(each)
                self._tell_end(each)

    def _tell_end(self, ended: Worker) -> None:
        if ended.failed:
            self._failed = True
            self._show_log(f"{ended.name} failed: {ended.state}", ended.process)
        else:
            self._screen.say(f"{ended.name} {ended.state}")

    def _show_log(self, text: str, process: LoggedProcess) -> None:
        self._screen.say(f"{text}; the end of {process.log}:", "bold red")
        for line in process.last_lines(_LINES):
            self._screen.say("  " + line)


def main() -> int:
    """Run the demo; return its exit code. Every process has ended then."""
    asked = parse()
    stop = Stop()
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    try:
        with stage(asked) as servers, ExitStack() as processes:
            return Show(asked, servers, processes, stop).run()
    except KeyboardInterrupt:
        return 1


if __name__ == "__main__":
    sys.exit(main())
