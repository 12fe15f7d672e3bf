"""Incremental exports of one table: the Exports port."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from consumer.adapters.aws.aws_errors import (
    CALL_FAILURES,
    describe,
    error_code,
    reason_of,
    refuses,
    retryable,
)
from consumer.adapters.odd_answer import reading
from consumer.core.repair.export import Destination, ExportState, ExportStatus
from consumer.core.repair.window import Restorable, Window
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence
    from datetime import datetime

    from consumer.core.repair.export import ExportTask

REQUEST_SECONDS: Final = 15.0
MAX_PAGES: Final = 1000
"""Most pages of one ListExports, of 25 exports each."""

_INCREMENTAL: Final = "INCREMENTAL_EXPORT"


class TableExports:
    """Exports port for one table. `dynamodb` is a client made by `Aws`."""

    def __init__(
        self,
        dynamodb: Any,  # noqa: ANN401 - made by botocore
        table: str,
        table_arn: str,
    ) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._table_arn = table_arn

    async def restorable(self) -> Restorable | None:
        """Return what point-in-time recovery can go back to, None if it is off."""
        name = "DescribeContinuousBackups"
        answer = await self._call(
            name, self._dynamodb.describe_continuous_backups, TableName=self._table
        )
        with reading(name):
            found = answer["ContinuousBackupsDescription"].get("PointInTimeRecoveryDescription", {})
            earliest = found.get("EarliestRestorableDateTime")
            latest = found.get("LatestRestorableDateTime")
            if found.get("PointInTimeRecoveryStatus") != "ENABLED" or not earliest or not latest:
                return None
            return Restorable(earliest.timestamp(), latest.timestamp())

    async def start(self, task: ExportTask) -> ExportState:
        """Ask for an export of the task's window, with its token."""
        name = "ExportTableToPointInTime"
        answer = await self._call(
            name,
            self._dynamodb.export_table_to_point_in_time,
            TableArn=self._table_arn,
            ClientToken=task.token,
            ExportFormat="DYNAMODB_JSON",
            ExportType=_INCREMENTAL,
            IncrementalExportSpecification={
                "ExportFromTime": task.window.begin,
                "ExportToTime": task.window.end,
                "ExportViewType": "NEW_AND_OLD_IMAGES",
            },
            **_destination_arguments(task.destination),
        )
        with reading(name):
            return _state(answer["ExportDescription"])

    async def describe(self, arn: str) -> ExportState:
        """Return how far an export is. Raise Misconfigured if there is none."""
        name = "DescribeExport"
        answer = await self._call(name, self._dynamodb.describe_export, ExportArn=arn)
        with reading(name):
            return _state(answer["ExportDescription"])

    async def incremental(self) -> Sequence[ExportState]:
        """Return all incremental exports of the table that DynamoDB still lists."""
        arns: list[str] = []
        after: dict[str, str] = {}
        for _ in range(MAX_PAGES):
            answer = await self._call(
                "ListExports", self._dynamodb.list_exports, TableArn=self._table_arn, **after
            )
            with reading("ListExports"):
                listed = answer.get("ExportSummaries", ())
                arns += [each["ExportArn"] for each in listed if _may_be_incremental(each)]
            if not answer.get("NextToken"):
                break
            after = {"NextToken": answer["NextToken"]}
        return [await self.describe(arn) for arn in arns]

    async def _call(
        self,
        name: str,
        operation: Callable[..., Awaitable[dict[str, Any]]],
        **arguments: Any,  # noqa: ANN401 - of any operation
    ) -> dict[str, Any]:
        """Return an answer. Raise Misconfigured if another request like it would fail, too."""
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                return await operation(**arguments)
        except CALL_FAILURES as error:
            if error_code(error) == "PointInTimeRecoveryUnavailableException":
                raise recovery_is_off(self._table) from error
            if refuses(error) or reason_of(error) == "access_denied":
                raise Misconfigured(f"{name}: {describe(error)}") from error
            raise retryable(name, error) from error


def recovery_is_off(table: str) -> Misconfigured:
    """Return the error for a table without point-in-time recovery."""
    return Misconfigured(
        f"table {table}: point-in-time recovery is off, so there is nothing to export; what was"
        " lost cannot be named, and `consumer snapshot --repair` reads the whole table instead"
    )


def _destination_arguments(destination: Destination) -> dict[str, str]:
    given = {
        "S3Bucket": destination.bucket,
        "S3BucketOwner": destination.owner,
        "S3Prefix": destination.prefix,
        "S3SseAlgorithm": "KMS" if destination.kms_key else None,
        "S3SseKmsKeyId": destination.kms_key,
    }
    return {name: value for name, value in given.items() if value}


def _may_be_incremental(listed: Mapping[str, Any]) -> bool:
    return bool(listed.get("ExportType", _INCREMENTAL) == _INCREMENTAL)


def _state(found: Mapping[str, Any]) -> ExportState:
    asked = found.get("IncrementalExportSpecification") or {}
    begin, end = asked.get("ExportFromTime"), asked.get("ExportToTime")
    failure = [found.get(name) for name in ("FailureCode", "FailureMessage")]
    return ExportState(
        arn=str(found["ExportArn"]),
        status=ExportStatus(found["ExportStatus"]),
        destination=Destination(
            str(found["S3Bucket"]),
            found.get("S3BucketOwner"),
            found.get("S3Prefix"),
            found.get("S3SseKmsKeyId"),
        ),
        incremental=found.get("ExportType") == _INCREMENTAL,
        manifest_key=found.get("ExportManifest"),
        window=Window(_seconds(begin), _seconds(end)) if begin and end else None,
        token=found.get("ClientToken"),
        failure=": ".join(str(each) for each in failure if each) or None,
    )


def _seconds(time: datetime) -> int:
    return int(time.timestamp())
