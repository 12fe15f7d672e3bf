"""Runs the demo: servers, workload and consumers, and a summary at the end.

Run by `localdev.demo`, in a process group of its own. Once the workers have been started, a first
SIGTERM ends it early, with a summary; a second one ends it at once.
"""

import os
import sys
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from itertools import chain
from pathlib import Path

from rich.console import Console

from localdev.demo.arguments import Arguments, parse
from localdev.demo.environment import shell_script
from localdev.demo.evidence import Evidence, Letter, StreamContent
from localdev.demo.judge import Hidden, Outcome, hidden, judge, mistold
from localdev.demo.logged_process import LoggedProcess, logged_process
from localdev.demo.screen import Screen
from localdev.demo.stage import ROUTES, TABLE, Stage, stage
from localdev.demo.stop import INTERRUPTED, Stop
from localdev.demo.watch import Snapshot, Watch
from localdev.demo.worker import Worker, worker

DIRECTORY = Path(".run/demo")
ENVIRONMENT = DIRECTORY / "env"
LONG_SECONDS = 60  # enough to type a command in another terminal and to see what it does
LOOK_SECONDS = 0.5
START_SECONDS = 120.0  # longest wait for the first event, if the demo has a duration
DRAIN_SECONDS = 120.0  # on an idle machine, 15 s are enough to replace a killed worker
STOP_SECONDS = 60.0  # the consumer's own drain, with time to spare for a slow machine
_LINES = 15  # printed of the log of a process that failed
_COMMAND = os.path.relpath(Path(sys.executable).with_name("consumer"))


class Show:
    """The demo's processes, from the first change to the summary."""

    def __init__(
        self, asked: Arguments, stage: Stage, processes: ExitStack, stop: Stop, screen: Screen
    ) -> None:
        self._asked = asked
        self._stage = stage
        self._stop = stop
        self._screen = screen
        environ = {**os.environ, **stage.settings}
        self._workers = [
            processes.enter_context(worker(f"worker-{number}", DIRECTORY, environ))
            for number in range(1, asked.workers + 1)
        ]
        command = [sys.executable, "-m", "localdev.workload", "--table", TABLE, "--report", "0.1"]
        command += ["--shop"] * asked.routes
        self._workload = processes.enter_context(
            logged_process(command, DIRECTORY / "workload.log", stage.environ)
        )
        self._evidence = Evidence(stage)
        self._watch = Watch(stage, self._evidence, self._workload, self._workers)
        self._ended: list[Worker] = []  # workers whose end was printed
        self._urls: set[str] = set()  # of workers, as printed
        self._begun = False  # every worker has started, and one holds a lease
        self._failed = False

    def run(self) -> int:
        """Return the exit code: 1 if anything was lost, came out of order or failed."""
        with self._screen:
            self._introduce()
            self._play()
            self._end_workload()
            self._drain()
            self._end_workers()
            outcome = self._judge()
            self._screen.show(self._watch.last(outcome), "ended")
        self._screen.show_outcome(outcome)
        if not self._asked.splitting:
            following = replace(self._asked, duration=LONG_SECONDS, shards=8, workers=3).command
            self._screen.say(f"Next, with shards that split and a worker to kill: {following}")
        return 0 if outcome.good else 1

    def _introduce(self) -> None:
        say = self._screen.say
        say(f"stream      {self._stage.stream_arn}")
        say(f"Nakadi      {self._stage.nakadi.url}/  open it in a browser while this runs")
        if self._asked.routes:
            say(f"routes      {os.path.relpath(ROUTES)}  the settings file, to be copied")
        for each in self._workers:
            say(f"{each.name}    process {each.process.pid}, log in {each.process.log}")

    def _play(self) -> None:
        """Let the workload run for as long as was asked for, while there are workers.

        The time begins with the first event: a slow machine shows as much as a fast one.
        """
        seconds, begun = self._asked.duration, False
        started = time.monotonic()
        deadline = started + START_SECONDS
        while not self._stop.asked and self._workload.returncode is None:
            if len(self._ended) == len(self._workers):
                return
            if seconds and time.monotonic() > deadline:
                return
            now = time.monotonic()
            if not begun:
                phase, rest = "setting up: the workers start", f", {now - started:.0f} s"
            elif seconds:
                phase, rest = "running", f", {max(0.0, deadline - now):.0f} s left"
            else:
                phase, rest = "running until Ctrl-C", ""
            snapshot = self._look(phase, rest)
            if any(snapshot.accepted.values()) and not begun:
                begun, deadline = True, time.monotonic() + seconds
            self._suggest(snapshot)
            time.sleep(LOOK_SECONDS)

    def _suggest(self, snapshot: Snapshot) -> None:
        """Say once what to try, when every worker has started and the first leases are held."""
        views = snapshot.workers
        if self._begun or not snapshot.leases or any(view.url is None for view in views):
            return
        self._begun = True
        say = self._screen.say
        say("Try in another terminal, in this directory, to see who holds which shard:", "bold")
        say(f"  source {ENVIRONMENT} && {_COMMAND} leases --watch")
        if len(views) > 1:
            victim = max(views, key=lambda view: view.leases or 0)
            say(f"Then kill {victim.name}; the others take over its shards:", "bold")
            say(f"  kill -9 {victim.pid}")
        if 0 < self._asked.duration < LONG_SECONDS:
            say(f"For more time to try it: {replace(self._asked, duration=LONG_SECONDS).command}")

    def _end_workload(self) -> None:
        if self._stop.asked:
            self._screen.say("Ending with a summary; Ctrl-C again ends at once.")
        self._workload.ask_to_stop()
        if not self._workload.wait(STOP_SECONDS) or self._workload.returncode != 0:
            self._failed = True
            self._show_log("the workload failed", self._workload)

    def _drain(self) -> None:
        """Wait until every change is an event or a dead letter, at most `DRAIN_SECONDS`."""
        content = self._evidence.stream()
        expected = {each: content.told(each).keys() for each in self._stage.event_types}
        deadline = time.monotonic() + DRAIN_SECONDS
        while len(self._ended) < len(self._workers) and time.monotonic() < deadline:
            self._look("the workload has ended, the last events are on their way")
            missing = sum(
                len(told - set(self._evidence.log(each))) for each, told in expected.items()
            )
            if missing <= self._evidence.dead_letter_count():
                return
            time.sleep(LOOK_SECONDS)

    def _end_workers(self) -> None:
        for each in self._workers:
            each.ask_to_stop()
        for each in self._workers:
            each.wait(STOP_SECONDS)
        self._tell_ends()

    def _judge(self) -> Outcome:
        content = self._evidence.stream()
        letters = self._evidence.dead_letters()
        verdicts = {}
        for event_type in self._stage.event_types:
            told = content.told(event_type)
            dead = {each.coordinate for each in letters if each.event_type == event_type}
            stored = self._evidence.operations(event_type)
            log = [event for event, _ in stored]
            verdicts[event_type] = judge(told, log, dead, mistold(told, stored))
        return Outcome(
            verdicts=verdicts,
            changes=len(content.changes),
            shards=content.shards,
            failed=self._failed,
            untold=sum(not change.told for change in content.changes),
            hidden=self._look_for_hidden(content, letters) if self._asked.routes else None,
        )

    def _look_for_hidden(self, content: StreamContent, letters: Iterable[Letter]) -> Hidden:
        """Look for card numbers wherever a worker writes."""
        numbers = {number for change in content.changes for number in change.hidden}
        logs = (each.process.log.read_text(errors="replace") for each in self._workers)
        texts = chain(self._evidence.texts(), (letter.text for letter in letters), logs)
        return hidden(numbers, texts)

    def _look(self, phase: str, rest: str = "") -> Snapshot:
        snapshot = self._watch.look()
        self._screen.show(snapshot, phase, rest)
        for view in snapshot.workers:
            if view.url is not None and view.url not in self._urls:
                self._urls.add(view.url)
                self._screen.say(
                    f"{view.name}    {view.url}/  its status page; /metrics is for Prometheus"
                )
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
    screen = Screen(Console(highlight=False, force_terminal=sys.stdout.isatty()))
    try:
        with ExitStack() as processes:
            with screen.setting_up() as tell:
                servers = processes.enter_context(stage(asked, tell))
                tell("the workers")
                ENVIRONMENT.write_text(shell_script(servers.settings, os.getpid()))
                show = Show(asked, servers, processes, stop, screen)
            stop.begin()
            return show.run()
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main())
