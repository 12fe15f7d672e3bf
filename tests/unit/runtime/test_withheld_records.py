"""Records that a route takes and makes no event of: settled in their place, counted by reason."""

import asyncio
import json

from msgspec.structs import replace
from structlog.testing import capture_logs

from consumer.core.event.event import Category, MetadataSources
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.limits import PublishLimits
from consumer.core.routes.route import Route
from consumer.core.shard.shard_state import Outcome
from consumer.settings.types import SMALLEST_QUEUE
from tests.twins.line import FORMAT, Line, run_line
from tests.twins.nakadi import NakadiTwin, sequence_of
from tests.twins.shard import FIRST, ShardTwin, record

WITHOUT_N = replace(FORMAT, selection=Selection(exclude=(read_path("n"),)))
OUTBOX = replace(FORMAT, patch=False, category=Category.BUSINESS)


async def to_the_end(line: Line) -> None:
    assert await line.run_consumer() is Outcome.SHARD_END


def skipped(line: Line, reason: str) -> float:
    count: float = line.metrics.records_skipped.labels(reason=reason)._value.get()
    return count


def test_what_changes_nothing_that_is_shown_is_counted_and_settled() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(250, keys=4)
    shown = json.loads(record(FIRST + 250, "k9"))
    shown["dynamodb"]["OldImage"]["fill"] = {"S": "other"}
    shard.records.append((FIRST + 250, json.dumps(shown).encode()))

    line = run_line(to_the_end, shard=shard, form=WITHOUT_N, skip_unchanged=True)
    (body,) = line.nakadi.stored
    assert sequence_of(body) == FIRST + 250
    assert (skipped(line, "unchanged"), skipped(line, "filtered")) == (250, 0)
    assert line.lease.checkpoint == SHARD_END


def test_a_shard_of_which_nothing_is_published_is_settled_as_it_is_read() -> None:
    shard = ShardTwin()
    shard.write_many(250, keys=4)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 249), 60.0)
            line.consumer.drain()

    line = run_line(main, shard=shard, form=WITHOUT_N, skip_unchanged=True)
    assert (line.nakadi.requests, line.outcome) == ([], Outcome.RELEASED)


def test_an_outbox_item_that_is_written_again_is_counted_and_warned_of_rarely() -> None:
    shard = ShardTwin(closed=True)
    for number in range(100):
        wire = json.loads(record(FIRST + number, "k2"))
        wire["eventName"] = ("INSERT", "MODIFY", "MODIFY", "REMOVE")[number % 4]
        shard.records.append((FIRST + number, json.dumps(wire).encode()))

    with capture_logs() as logs:
        line = run_line(to_the_end, shard=shard, form=OUTBOX)
    stored = [json.loads(body) for body in line.nakadi.stored]
    assert [int(event["n"]) - FIRST for event in stored] == [*range(0, 100, 4)]
    assert (skipped(line, "outbox_modified"), skipped(line, "filtered")) == (50, 25)
    assert line.lease.checkpoint == SHARD_END
    (warned,) = (log for log in logs if log["event"] == "outbox_modified")
    assert (warned["log_level"], warned["event_type"]) == ("warning", "order-store.order")
    assert "k2" not in repr(warned)


def test_what_another_route_publishes_is_not_counted_as_skipped() -> None:
    """It is warned of all the same."""
    shard = ShardTwin(closed=True)
    shard.write_many(20, keys=4)
    routes = [
        (Route(f"shop.{name}", form, PublishLimits(), ("id",), name=name), NakadiTwin())
        for name, form in (("order", FORMAT), ("outbox", OUTBOX))
    ]
    with capture_logs() as logs:
        line = run_line(to_the_end, shard=shard, routes=routes)
    assert [len(nakadi.stored) for _, nakadi in routes] == [20, 0]
    assert skipped(line, "outbox_modified") == 0
    (warned,) = (log for log in logs if log["event"] == "outbox_modified")
    assert warned["event_type"] == "shop.outbox"


def test_what_is_left_out_of_metadata_is_counted_once_where_its_page_is_read_again() -> None:
    shard = ShardTwin(closed=True, page_records=25)
    for number in range(25):
        sequence = FIRST + number
        wire = json.loads(record(sequence, f"k{number}"))
        for image, digit in (("OldImage", "1"), ("NewImage", "2")):
            leaves = {f"l{leaf}": {"N": digit} for leaf in range(190)}
            wire["dynamodb"][image]["n" * 5000] = {"M": leaves}  # the patch has it 190 times
        shard.records.append((sequence, json.dumps(wire, separators=(",", ":")).encode()))
    form = replace(FORMAT, metadata=MetadataSources(flow_id="n", span_ctx="fill"))
    line = run_line(to_the_end, shard=shard, form=form, memory=SMALLEST_QUEUE)
    assert len(line.nakadi.stored) == 25
    assert shard.calls > 1
    assert line.metrics.metadata_left_out._value.get() == 50


def test_what_is_left_out_of_metadata_is_counted() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(300, keys=4)
    form = replace(FORMAT, metadata=MetadataSources(flow_id="n", span_ctx="fill"))
    line = run_line(to_the_end, shard=shard, form=form)
    assert len(line.nakadi.stored) == 300
    assert line.metrics.metadata_left_out._value.get() == 600
