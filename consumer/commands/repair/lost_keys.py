"""The first half of a repair: the exports of its windows, and the keys that they name."""

from __future__ import annotations

import sys
import time
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

from consumer.adapters.exports.table_exports import recovery_is_off
from consumer.commands.repair.parts import opened_parts
from consumer.commands.repair.spans import Span
from consumer.commands.run_progress import RunProgress
from consumer.core.repair.window import BEFORE_SECONDS, reach_of
from consumer.core.reports.times import iso
from consumer.errors import Misconfigured, Retryable, Unreachable
from consumer.runtime.republish.gathering import gather

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from consumer.adapters.exports.changed_keys import ChangedKeys
    from consumer.commands.repair.parts import Parts
    from consumer.core.repair.export import Destination, ExportState
    from consumer.core.repair.manifest import Summary
    from consumer.core.repair.window import Reach as Windows
    from consumer.core.republish.table.table_description import TableDescription
    from consumer.runtime.republish.exporting import Exporting
    from consumer.settings.settings import Settings

T = TypeVar("T")

REPEAT_SECONDS = 60.0
"""Between two lines that say the same."""


class Wanted(Struct, frozen=True):
    """Where exports are written to, and which are read.

    `arn` is that of one that exists, which is then the only one; `anew` has those of an earlier run
    made once more.
    """

    destination: Destination
    arn: str | None
    anew: bool


class LostKeys:
    """Finds the keys that changed in spans of time, in exports of one table."""

    def __init__(self, settings: Settings, table: TableDescription, wanted: Wanted) -> None:
        self._settings = settings
        self._table = table
        self._wanted = wanted
        self._said: dict[str, float] = {}

    async def span_of_export(self) -> Span:
        """Return the span of the export that was named. Raise Misconfigured, Unreachable."""
        async with opened_parts(self._settings, self._table) as parts:
            state, summary = await _or_unreachable(self._named(parts))
        window = summary.window
        return Span(f"export {state.arn}", window.begin, window.end)

    async def windows(self, span: Span) -> Windows:
        """Return the windows of a span, as far as the table's backup goes back.

        Raise Misconfigured if it does not go back that far at all, Unreachable.
        """
        async with opened_parts(self._settings, self._table) as parts:
            found = await _or_unreachable(self._exporting(parts).restorable())
        if found is None:
            raise recovery_is_off(self._table.name)
        windows = reach_of(span.since, span.until, found)
        if not windows.windows:
            raise Misconfigured(
                f"{span.title}: out of reach, as point-in-time recovery goes back to"
                f" {iso(found.earliest)}; `consumer snapshot --repair` reads the whole table"
            )
        return windows

    async def collect(self, span: Span, windows: Windows | None, keys: ChangedKeys) -> int:
        """Keep each key that the exports name, and return how many lines they have.

        `windows` is None if an export was named. Raise Misconfigured, Unreachable.
        """
        async with opened_parts(self._settings, self._table) as parts:
            return await _or_unreachable(self._collect(parts, span, windows, keys))

    async def _collect(
        self, parts: Parts, span: Span, windows: Windows | None, keys: ChangedKeys
    ) -> int:
        if windows is None:
            state, summary = await self._named(parts)
            _check_window(span, summary)
            return await self._gather(parts, state, summary, keys)
        exporting, lines = self._exporting(parts), 0
        await exporting.until_restorable(windows.end)
        for window in windows.windows:
            state = await exporting.export(window)
            files = await parts.files(state, self._wanted.destination.owner)
            lines += await self._gather(parts, state, await files.summary(state), keys)
        return lines

    async def _named(self, parts: Parts) -> tuple[ExportState, Summary]:
        """Return the export that was named, once it is complete."""
        state = await self._exporting(parts).described(str(self._wanted.arn))
        files = await parts.files(state, self._wanted.destination.owner)
        return state, await files.summary(state)

    async def _gather(
        self, parts: Parts, state: ExportState, summary: Summary, keys: ChangedKeys
    ) -> int:
        files = await parts.files(state, self._wanted.destination.owner)
        progress = RunProgress(sys.stderr, parts.clock, "repair")
        show = partial(progress.show, total=summary.lines, told="lines of the export read")
        lines = await gather(files, state, summary, keys, show)
        progress.close(lines, summary.lines, "lines of the export read")
        return lines

    def _exporting(self, parts: Parts) -> Exporting:
        return parts.exporting(self._wanted.destination, self._say, anew=self._wanted.anew)

    def _say(self, line: str) -> None:
        """Write a line of progress, unless it was written a moment ago."""
        now = time.monotonic()
        if now - self._said.get(line, float("-inf")) >= REPEAT_SECONDS:
            self._said[line] = now
            sys.stderr.write(f"repair: {line}\n")
            sys.stderr.flush()


async def _or_unreachable(call: Awaitable[T]) -> T:
    """Return what is awaited. Raise Unreachable in place of a Retryable."""
    try:
        return await call
    except Retryable as error:
        raise Unreachable(f"{error}; run the command again, and it goes on") from error


def _check_window(span: Span, summary: Summary) -> None:
    """Raise Misconfigured if the export that was named does not hold all of the span."""
    window = summary.window
    if window.begin > span.since or window.end < span.until:
        raise Misconfigured(
            f"--export: it is of {iso(window.begin)} to {iso(window.end)}, wanted one that holds"
            f" {iso(span.since)} to {iso(span.until)}"
        )
    if window.begin < int(span.since) - BEFORE_SECONDS:
        sys.stderr.write(
            f"repair: the export begins at {iso(window.begin)}, before the gap: a key that was made"
            " after that and deleted in the gap is not in it\n"
        )
