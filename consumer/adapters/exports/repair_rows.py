"""Rows of repairs in the lease table: the RepairStore port.

`export/<table>/<begin>-<end>` is an export that was asked for, `repair/<table>/<begin>-<end>` how
far a repair has come; the latter holds a key value of the table. DynamoDB may remove them when
point-in-time recovery has forgotten what they are about.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.adapters.lease_table.lease_expressions import Expressions
from consumer.adapters.lease_table.lease_requests import ConditionFailed
from consumer.adapters.lease_table.lease_rows import key_of
from consumer.adapters.lease_table.row_fields import RowFields
from consumer.core.repair.export import Destination, ExportTask
from consumer.core.repair.repair_run import RepairCounts, RepairRun
from consumer.core.repair.window import KEPT_SECONDS, Window
from consumer.errors import Misconfigured, UnknownOutcome

if TYPE_CHECKING:
    from consumer.adapters.lease_table.lease_requests import LeaseRequests
    from consumer.adapters.lease_table.lease_rows import Row, RowValue


class RepairRows:
    """RepairStore port for one application."""

    def __init__(self, requests: LeaseRequests) -> None:
        self._requests = requests

    async def read_export(self, table: str, window: Window) -> ExportTask | None:
        """Return the export of this window that was asked for, None if none was."""
        row = await self._requests.read(_export_key(table, window))
        return None if row is None else _task_of(row, window)

    async def put_export(
        self, table: str, expected: ExportTask | None, task: ExportTask
    ) -> ExportTask:
        """Write the task if none, or the expected one, is there; return the one that is there."""
        key, values = _export_key(table, task.window), _task_values(task)
        try:
            if expected is None:
                await self._requests.create(key, values)
            else:
                replace = Expressions()
                replace.equal("token", expected.token)
                replace.set(values)
                await self._requests.update(key, replace)
        except ConditionFailed as failed:
            row = failed.row or await self._requests.read_after_refusal(key)
            if row is None:
                raise UnknownOutcome(f"{key}: it was removed meanwhile") from None
            return _task_of(row, task.window)
        return task

    async def read_run(self, table: str, begin: int, end: int) -> RepairRun | None:
        """Return how far the repair of this time has come, None if it was never begun."""
        row = await self._requests.read(_run_key(table, begin, end))
        return None if row is None else _run_of(row, table, begin, end)

    async def write_run(self, run: RepairRun) -> None:
        """Write the whole row."""
        await self._requests.put(_run_key(run.table, run.begin, run.end), _run_values(run))


def _export_key(table: str, window: Window) -> str:
    return f"export/{table}/{window.begin}-{window.end}"


def _run_key(table: str, begin: int, end: int) -> str:
    return f"repair/{table}/{begin}-{end}"


def _task_values(task: ExportTask) -> dict[str, RowValue]:
    return {
        "token": task.token,
        "askedAt": task.asked_at,
        "exportArn": task.arn,
        "bucket": task.destination.bucket,
        "bucketOwner": task.destination.owner,
        "prefix": task.destination.prefix,
        "kmsKey": task.destination.kms_key,
        "expiresAt": task.window.end + int(KEPT_SECONDS),
    }


def _task_of(row: Row, window: Window) -> ExportTask:
    fields = RowFields(row)
    destination = Destination(
        fields.text("bucket"),
        fields.text_if_any("bucketOwner"),
        fields.text_if_any("prefix"),
        fields.text_if_any("kmsKey"),
    )
    task = ExportTask(
        window,
        destination,
        fields.text("token"),
        fields.time("askedAt"),
        fields.text_if_any("exportArn"),
    )
    _check(row, fields)
    return task


def _run_values(run: RepairRun) -> dict[str, RowValue]:
    return {
        "routes": run.routes,
        "startedAt": run.started_at,
        "settled": run.settled,
        "keys": run.counts.keys,
        "gone": run.counts.gone,
        "untaken": run.counts.untaken,
        "refused": run.counts.refused,
        "doneAt": run.done_at,
        "expiresAt": run.end + int(KEPT_SECONDS),
    }


def _run_of(row: Row, table: str, begin: int, end: int) -> RepairRun:
    fields = RowFields(row)
    names = ("keys", "gone", "untaken", "refused")
    run = RepairRun(
        table,
        begin,
        end,
        fields.texts("routes"),
        fields.time("startedAt"),
        fields.text_if_any("settled"),
        RepairCounts(*[fields.count_if_any(name) for name in names]),
        fields.time_if_any("doneAt"),
    )
    _check(row, fields)
    return run


def _check(row: Row, fields: RowFields) -> None:
    """Raise Misconfigured if the row cannot be read."""
    if fields.unreadable is not None:
        raise Misconfigured(
            f"lease table: row {key_of(row)}: {fields.unreadable} cannot be read; delete the row,"
            " and the repair begins anew"
        )
