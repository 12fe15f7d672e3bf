"""The output for the user: a live frame on a terminal, elsewhere a line every few seconds."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from localdev.demo.judge import Outcome, Verdict
from localdev.demo.sample import lines
from localdev.demo.watch import Snapshot
from localdev.demo.worker import WorkerView

_PLAIN_SECONDS = 2.0
_NAMED = 5  # coordinates named of each kind of mistake
_UNKNOWN = "-"


class Screen:
    """Everything is printed through it, so that texts and live frame do not mix."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._moving = console.is_terminal and not console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False) if self._moving else None
        self._shown_at = 0.0
        self._phase = ""

    def __enter__(self) -> Self:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._live is None:
            return
        if kind is not None:  # the frame would stay, with numbers that are not the last ones
            self._live.update(Text(""))
        self._live.stop()

    @contextmanager
    def setting_up(self) -> Iterator[Callable[[str], None]]:
        """Give a function that names the step that begins: by a spinner, elsewhere in a line."""
        with self._console.status("setting up") as status:

            def tell(step: str) -> None:
                if self._moving:
                    status.update(f"setting up: {step}")
                else:
                    self.say(f"setting up: {step}")

            yield tell

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self._console.print(Text(text, style), soft_wrap=True)

    def show_event(self, text: str) -> None:
        """Print an event, its patch in colour."""
        shown = Text()
        for line, of_patch in lines(text):
            shown.append(line + "\n", "bold green" if of_patch else "dim")
        self._console.print(shown, soft_wrap=True)

    def show(self, snapshot: Snapshot, phase: str, rest: str = "") -> None:
        """Update the live frame; elsewhere print a line at a new phase or after two seconds.

        `rest` goes on where the phase ends, and may change all the time.
        """
        if self._live is not None:
            self._live.update(_frame(snapshot, phase + rest), refresh=True)
        elif phase != self._phase or time.monotonic() - self._shown_at > _PLAIN_SECONDS:
            self._shown_at = time.monotonic()
            self._phase = phase
            facts = ", ".join(f"{name} {value}" for name, value in _facts(snapshot))
            self.say(f"{phase}{rest}: {facts}")

    def show_outcome(self, outcome: Outcome) -> None:
        """Print the summary, and the verdict in colour."""
        several = len(outcome.verdicts) > 1
        self.say(f"\nCounted from the table's stream and Nakadi's log{'s' * several}:", "bold")
        of = f"changes, in {outcome.shards} shard" + "s" * (outcome.shards > 1)
        self._count(of, outcome.changes)
        if several:
            self._count("that nobody is told of", outcome.untold)
        if outcome.hidden is not None:
            self._count("card numbers in them", outcome.hidden.values)
            self._count("places that show one", outcome.hidden.shown)
        for event_type, verdict in outcome.verdicts.items():
            if several:
                self.say(event_type, "bold")
                self._count("changes to tell", verdict.changes)
            self._show_verdict(verdict)
        self.say(outcome.sentence, "bold green" if outcome.good else "bold red")

    def _show_verdict(self, verdict: Verdict) -> None:
        for name, count, note in (
            ("events", verdict.events, ""),
            ("dead letters", verdict.dead_letters, "refused by Nakadi, kept in the queue"),
            ("lost", len(verdict.lost), ""),
            ("duplicated", verdict.duplicated, "delivered again; readers know them by their eid"),
            ("out of order", len(verdict.out_of_order), ""),
        ):
            self._count(name, count, note)
        for name, found in verdict.mistakes.items():
            for each in found[:_NAMED]:
                self.say(f"{name}: {each.key} sequence {each.sequence}", "red")

    def _count(self, name: str, count: int, note: str = "") -> None:
        self.say(f"  {name:<24}{count:>8}" + f"   ({note})" * bool(note and count))


def _frame(snapshot: Snapshot, title: str) -> Group:
    facts = (f"  {name:<20}{value:>10}" for name, value in _facts(snapshot))
    parts = [f"  {_worker(view)}" for view in snapshot.workers]
    if snapshot.nakadi is not None:
        parts.append(f"  Nakadi    {snapshot.nakadi}/")
    return Group(Text(title, "bold"), *map(Text, facts), *map(Text, parts))


def _worker(view: WorkerView) -> str:
    if view.leases is None:
        return f"{view.name}  process {view.pid}  {view.state}"
    leases = f"{view.leases} lease" + "s" * (view.leases != 1)
    return f"{view.name}  process {view.pid}  {view.state}, {leases}  {view.url}/"


def _facts(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    age, rate = snapshot.age, snapshot.per_second
    several = [(f"of {name}", str(count)) for name, count in snapshot.accepted.items()]
    return (
        ("changes written", str(snapshot.written)),
        ("events accepted", str(sum(snapshot.accepted.values()))),
        *(several if len(several) > 1 else ()),
        ("events/s", _UNKNOWN if rate is None else f"{rate:.0f}"),
        ("iterator age", _UNKNOWN if age is None else f"{age:.1f} s"),
        ("leases", str(snapshot.leases)),
        ("dead letters", str(snapshot.dead_letters)),
    )
