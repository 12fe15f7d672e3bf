"""What a repair works with beside the engine: gap rows, its own rows, exports and their files."""

from __future__ import annotations

import random
import secrets
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from consumer.adapters.aws.aws import Aws
from consumer.adapters.exports.bucket import Bucket
from consumer.adapters.exports.export_files import S3ExportFiles
from consumer.adapters.exports.repair_rows import RepairRows
from consumer.adapters.exports.table_exports import TableExports
from consumer.adapters.lease_table.lease_requests import LeaseRequests
from consumer.commands.operate.lease_reading import CONNECTIONS, REQUEST_SECONDS, open_lease_table
from consumer.credentials import fallback_region
from consumer.runtime.republish.exporting import Exporting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from consumer.adapters.lease_table.lease_table import LeaseTable
    from consumer.core.repair.export import Destination, ExportState
    from consumer.core.republish.table.table_description import TableDescription
    from consumer.ports import Chance, Clock
    from consumer.settings.settings import Settings


class Parts(Struct, frozen=True):
    """The parts, opened. `gaps` is the lease table, `rows` its rows of repairs."""

    gaps: LeaseTable
    rows: RepairRows
    clock: Clock
    chance: Chance
    _aws: Aws
    _dynamodb: Any
    _table: TableDescription

    def exporting(
        self, destination: Destination, told: Callable[[str], None], *, anew: bool
    ) -> Exporting:
        """Return what makes the exports of the table."""
        exports = TableExports(self._dynamodb, self._table.name, self._table.arn)
        return Exporting(
            exports,
            self.rows,
            self._table.name,
            destination,
            self.clock,
            self.chance,
            secrets.token_hex,
            told,
            anew=anew,
        )

    async def files(self, state: ExportState, owner: str | None) -> S3ExportFiles:
        """Return what reads the files of an export; `owner` is the account of its bucket."""
        destination = state.destination
        account = owner or destination.owner
        s3 = await self._aws.s3()
        bucket = Bucket(s3, destination.bucket, account, self.clock, self.chance)
        return S3ExportFiles(bucket, self._table.arn)


@asynccontextmanager
async def opened_parts(settings: Settings, table: TableDescription) -> AsyncIterator[Parts]:
    """Open the parts. Raise LeaseTableAbsent, Misconfigured, Unreachable."""
    async with (
        Aws(fallback_region(settings)) as aws,
        open_lease_table(settings, aws) as gaps,
    ):
        dynamodb = await aws.dynamodb(CONNECTIONS)
        name, application = settings.lease_table, settings.application
        requests = LeaseRequests(dynamodb, name, application, REQUEST_SECONDS, None)
        chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
        yield Parts(gaps, RepairRows(requests), aws.clock, chance, aws, dynamodb, table)
