"""A desk at which gaps are repaired: a gap row, and a bucket with exports."""

from __future__ import annotations

import asyncio
import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from consumer.core.leases.lease import Gap, StreamRow
from tests.conformance.ports.lease_stores import on_server
from tests.integration.consumer_process import run_consumer
from tests.integration.exported import Exported, data_file
from tests.integration.republished import Desk

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from localdev.aws.process import AwsProcess
    from localdev.nakadi.process import NakadiProcess

Json = Any

LEASES = "repair-leases"
HOUR = 3600.0


class RepairDesk(Desk):
    """A desk whose application has a gap row, and a bucket with exports."""

    def __init__(self, aws: AwsProcess, nakadi: NakadiProcess, folder: Path) -> None:
        super().__init__(aws, nakadi, folder)
        self.environ["CONSUMER_LEASE_TABLE"] = LEASES
        self.aws = aws
        self.exported = Exported(self.environ, self.table)
        now = float(int(time.time()))
        self.since, self.until = now - 3 * HOUR, now - 2 * HOUR
        self.begin, self.end = self.since - 2, self.until + 300
        self.gap = Gap("s-1", "400", "500", "trimmed", now - HOUR, None, self.since, self.until)

    def lose(self, *gaps: Gap) -> None:
        """Write the stream's row, and these gap rows."""
        described = self.dynamodb.describe_table(TableName=self.table)["Table"]
        label = described["LatestStreamLabel"]
        row = StreamRow(
            described["LatestStreamArn"], self.table, label, None, "TRIM_HORIZON", None, True, 1, 1,
            0, "{}",
        )  # fmt: skip

        async def write() -> None:
            with pytest.MonkeyPatch.context() as patch:
                async with on_server(
                    self.aws.environment(), patch, table=LEASES, application=self.table
                ) as store:
                    await store.create_stream(row)
                    for gap in gaps:
                        await store.put_gap(row.key, replace(gap, to=None))
                        await store.complete_gap(row.key, gap)

        asyncio.run(write())

    def export(self, *files: Sequence[Json], **summary: Json) -> str:
        """An export with files of these lines; its ARN."""
        arn = self.exported.begin(self.begin, self.end)
        bodies = [data_file(lines) for lines in files]
        self.exported.write(arn, self.begin, self.end, bodies, **summary)
        return arn

    def repair(self, *words: str) -> tuple[int, str, str]:
        done = run_consumer(["repair", *words], self.environ)
        return done.returncode, done.stdout, done.stderr

    def row(self, prefix: str) -> Json:
        """The row of the lease table whose key begins so; empty if there is none."""
        found = self.dynamodb.query(
            TableName=LEASES,
            KeyConditionExpression="application = :a AND begins_with(#k, :k)",
            ExpressionAttributeNames={"#k": "key"},
            ExpressionAttributeValues={":a": {"S": self.table}, ":k": {"S": prefix}},
        )["Items"]
        return found[0] if found else {}

    def gaps(self) -> list[Json]:
        found: list[Json] = json.loads(run_consumer(["gaps", "--json"], self.environ).stdout)
        return found

    def events(self) -> list[tuple[str, str, int, Json]]:
        """What the event type of all has: operation, key, and a value."""
        return sorted(
            (each["data_op"], each["data"]["pk"], each["data"]["sk"], each["data"].get("n"))
            for each in self.stored(self.all)
        )
