"""What a repair needs from outside, beside `ports`: adapters, and twins in the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from consumer.core.repair.export import ExportState, ExportTask
    from consumer.core.repair.exported_change import ExportedChange
    from consumer.core.repair.manifest import Summary
    from consumer.core.repair.repair_run import RepairRun
    from consumer.core.repair.window import Restorable, Window


class Exports(Protocol):
    """The exports of one table. Calls are never retried inside.

    Every method may raise Retryable, and Misconfigured where a retry changes nothing.
    """

    async def restorable(self) -> Restorable | None:
        """Return what point-in-time recovery can go back to, None if it is off."""
        ...

    async def start(self, task: ExportTask) -> ExportState:
        """Ask for an export. A request with the same token is the same request, for eight hours.

        A Retryable leaves unknown whether it was begun.
        """
        ...

    async def describe(self, arn: str) -> ExportState:
        """Return how far an export is."""
        ...

    async def incremental(self) -> Sequence[ExportState]:
        """Return all incremental exports of the table that DynamoDB still lists."""
        ...


class ExportFiles(Protocol):
    """The files of complete exports."""

    async def summary(self, state: ExportState) -> Summary:
        """Return the summary of an export. Raise Retryable, Misconfigured."""
        ...

    def changes(self, state: ExportState, summary: Summary) -> AsyncIterator[ExportedChange]:
        """Yield each line of its data files. Raise Retryable, Misconfigured.

        What was yielded counts only once all is: the checksum of a file is known at its end.
        """
        ...


class RepairStore(Protocol):
    """The rows of repairs in the lease table. Requests are never retried inside.

    Reads are strongly consistent and raise Retryable when they fail. Writes raise UnknownOutcome
    for everything that is not a definite answer; each may be sent again unchanged. A row that
    cannot be read is Misconfigured.
    """

    async def read_export(self, table: str, window: Window) -> ExportTask | None:
        """Return the export of this window that was asked for, None if none was."""
        ...

    async def put_export(
        self, table: str, expected: ExportTask | None, task: ExportTask
    ) -> ExportTask:
        """Write the task if there is none (`expected` is None), or that with the expected token.

        Return the task that is there now: another process may have been faster.
        """
        ...

    async def read_run(self, table: str, begin: int, end: int) -> RepairRun | None:
        """Return how far the repair of this time has come, None if it was never begun."""
        ...

    async def write_run(self, run: RepairRun) -> None:
        """Write the whole row."""
        ...
