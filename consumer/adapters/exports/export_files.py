"""The files of a complete export in S3: the ExportFiles port.

Only what the manifests name is read: other exports may share the folder of the data files.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.adapters.exports.data_file import LINE_BYTES, lines_of
from consumer.core.repair.exported_change import OddExport, read_change
from consumer.core.repair.manifest import read_files, read_summary
from consumer.errors import Misconfigured

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consumer.adapters.exports.bucket import Bucket
    from consumer.core.repair.export import ExportState
    from consumer.core.repair.exported_change import ExportedChange
    from consumer.core.repair.manifest import Summary

SUMMARY_BYTES: Final = 64 * 1024
FILES_BYTES: Final = LINE_BYTES
"""Longest manifests: one names a file a partition, in about 200 bytes."""


class S3ExportFiles:
    """ExportFiles port for the exports of one table in one bucket."""

    def __init__(self, bucket: Bucket, table_arn: str) -> None:
        self._bucket = bucket
        self._table_arn = table_arn

    async def summary(self, state: ExportState) -> Summary:
        """Return the summary of a complete export."""
        if state.manifest_key is None:
            raise Misconfigured(f"export {state.arn}: DynamoDB names no manifest of it")
        body = await self._bucket.read(_behind_prefix(state, state.manifest_key), SUMMARY_BYTES)
        try:
            return read_summary(body, state.arn, self._table_arn)
        except OddExport as error:
            raise Misconfigured(f"export {state.arn}: {error}") from error

    async def changes(self, state: ExportState, summary: Summary) -> AsyncIterator[ExportedChange]:
        """Yield each change of the export, file by file."""
        listed = await self._bucket.read(_behind_prefix(state, summary.files_key), FILES_BYTES)
        try:
            for file in read_files(listed.splitlines()):
                key = _behind_prefix(state, file.key)
                async for line in lines_of(file, self._bucket.pieces(key)):
                    yield read_change(line)
        except OddExport as error:
            raise Misconfigured(f"export {state.arn}: {error}") from error


def _behind_prefix(state: ExportState, key: str) -> str:
    """Return the key of a file: DynamoDB's pages show some manifests without the prefix."""
    prefix = state.destination.prefix
    return key if not prefix or key.startswith(f"{prefix}/") else f"{prefix}/{key}"
