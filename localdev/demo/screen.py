"""The output for the user: a live table on a terminal, elsewhere a line every few seconds."""

import time
from types import TracebackType
from typing import Self

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from localdev.demo.judge import Verdict
from localdev.demo.sample import lines
from localdev.demo.watch import Snapshot

_PLAIN_SECONDS = 2.0
_NAMED = 5  # coordinates named of each kind of mistake


class Screen:
    """Everything is printed through it, so that texts and live table do not mix."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, auto_refresh=False) if console.is_terminal else None
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
        if self._live is not None:
            self._live.stop()

    def say(self, text: str, style: str = "") -> None:
        """Print a line."""
        self._console.print(Text(text, style), soft_wrap=True)

    def show_event(self, text: str) -> None:
        """Print an event, its patch in colour."""
        shown = Text()
        for line, of_patch in lines(text):
            shown.append(line + "\n", "bold green" if of_patch else "dim")
        self._console.print(shown, soft_wrap=True)

    def show(self, snapshot: Snapshot, phase: str) -> None:
        """Update the live table; elsewhere print a line at a new phase or after two seconds."""
        if self._live is not None:
            self._live.update(_table(snapshot, phase), refresh=True)
        elif phase != self._phase or time.monotonic() - self._shown_at > _PLAIN_SECONDS:
            self._shown_at = time.monotonic()
            self._phase = phase
            self.say(_line(snapshot, phase))

    def show_verdict(self, verdict: Verdict, shards: int) -> None:
        """Print the summary."""
        self.say("\nCounted from the table's stream and Nakadi's log:", "bold")
        for name, count in (
            (f"changes, in {shards} shard" + "s" * (shards > 1), verdict.changes),
            ("events", verdict.events),
            ("dead letters", verdict.dead_letters),
            ("lost", len(verdict.lost)),
            ("duplicated", verdict.duplicated),
            ("out of order", len(verdict.out_of_order)),
        ):
            self.say(f"  {name:<24}{count:>8}")
        for name, found in (
            ("lost", verdict.lost),
            ("out of order", verdict.out_of_order),
            ("event of no change", verdict.unknown),
        ):
            for each in found[:_NAMED]:
                self.say(f"{name}: {each.key} sequence {each.sequence}", "bold red")


def _table(snapshot: Snapshot, phase: str) -> Group:
    table = Table(title=phase, title_justify="left", title_style="bold")
    for heading, _ in _columns(snapshot):
        table.add_column(heading, justify="right")
    table.add_row(*(text for _, text in _columns(snapshot)))
    workers = Table(box=None)
    for heading in ("worker", "process id", "state", "leases", "look at"):
        workers.add_column(heading)
    for view in snapshot.workers:
        leases = "" if view.leases is None else str(view.leases)
        url = "" if view.url is None else f"{view.url}/status"
        workers.add_row(view.name, str(view.pid), view.state, leases, url)
    return Group(table, workers)


def _line(snapshot: Snapshot, phase: str) -> str:
    return f"{phase}: " + ", ".join(f"{text} {heading}" for heading, text in _columns(snapshot))


def _columns(snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    age = "unknown" if snapshot.age is None else f"{snapshot.age:.1f} s"
    return (
        ("changes written", str(snapshot.written)),
        ("events accepted", str(snapshot.accepted)),
        ("events/s", f"{snapshot.per_second:.0f}"),
        ("iterator age", age),
        ("leases", str(snapshot.leases)),
        ("dead letters", str(snapshot.dead_letters)),
    )
