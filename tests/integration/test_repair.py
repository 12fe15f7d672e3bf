"""`consumer repair` on the embedded AWS, whose exports get files of the documented form."""

from __future__ import annotations

import asyncio
import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from consumer.core.leases.lease import Gap, StreamRow
from tests.conformance.ports.lease_stores import on_server
from tests.integration.consumer_process import run_consumer
from tests.integration.exported import Exported, change, data_file
from tests.integration.republished import Desk, item, key

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
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

    def gaps(self) -> list[Json]:
        found: list[Json] = json.loads(run_consumer(["gaps", "--json"], self.environ).stdout)
        return found

    def events(self) -> list[tuple[str, str, int, Json]]:
        """What the event type of all has: operation, key, and a value."""
        return sorted(
            (each["data_op"], each["data"]["pk"], each["data"]["sk"], each["data"].get("n"))
            for each in self.stored(self.all)
        )


@pytest.fixture
def desk(
    ministack: AwsProcess, nakadi_server: NakadiProcess, tmp_path: Path
) -> Iterator[RepairDesk]:
    made = RepairDesk(ministack, nakadi_server, tmp_path)
    yield made
    nakadi_server.remove_faults()
    made.exported.close()
    made.dynamodb.close()


def lines_of_a_gap(desk: RepairDesk) -> list[list[Json]]:
    """Five keys that changed in the gap: the table holds the first two, as they became later."""
    desk.put(item("o-1", 1, n={"N": "11"}), item("o-2", 1, n={"N": "2"}), item("o-8", 1))
    at = desk.since + 60
    return [
        [
            change(key("o-1", 1), at, new=item("o-1", 1, n={"N": "1"})),
            change(key("o-2", 1), at, old=item("o-2", 1), new=item("o-2", 1, n={"N": "2"})),
            change(key("o-3", 1), at, new=item("o-3", 1, n={"N": "3"})),  # deleted since
        ],
        [
            change(key("o-4", 1), at, old=item("o-4", 1, n={"N": "4"})),  # deleted in the gap
            change(key("o-5", 1), at, old=item("o-5", 1, "LOCK")),
        ],
    ]


def test_a_gap_is_repaired_by_what_the_table_holds_now(desk: RepairDesk) -> None:
    arn = desk.export(*lines_of_a_gap(desk))
    desk.lose(desk.gap)
    code, out, errors = desk.repair("--gap", "s-1/400", "--export", arn, "--yes")
    assert (code, errors) == (0, ""), out
    assert "5 lines, 5 keys, at most 10 events" in out
    assert desk.events() == [
        ("D", "o-3", 1, 3),
        ("D", "o-4", 1, 4),
        ("D", "o-5", 1, None),
        ("S", "o-1", 1, 11),
        ("S", "o-2", 1, 2),
    ]
    assert sorted((each["data_op"], each["data"]["pk"]) for each in desk.stored(desk.order)) == [
        ("D", "o-3"),
        ("D", "o-4"),
        ("S", "o-1"),
        ("S", "o-2"),
    ]
    assert all("read_at" in each["data"]["change"] for each in desk.stored(desk.all))
    (gap,) = desk.gaps()
    assert gap["repaired_at"] is not None
    before = desk.stored(desk.all)
    code, out, _ = desk.repair("--gap", "s-1/400", "--export", arn, "--yes")
    assert code == 0
    assert "--again publishes it once more" in out
    assert desk.stored(desk.all) == before
    code, _, _ = desk.repair("--gap", "s-1/400", "--export", arn, "--yes", "--again")
    assert code == 0
    again = desk.stored(desk.all)
    assert len(again) == 2 * len(before)
    eids = {each["metadata"]["eid"] for each in again}
    assert eids == {each["metadata"]["eid"] for each in before}, "nothing new"


def test_a_repair_that_was_ended_goes_on_where_it_was(desk: RepairDesk) -> None:
    pass
