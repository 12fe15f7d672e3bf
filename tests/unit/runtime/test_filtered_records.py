"""Records that no route takes: settled in their place, counted, and in nobody's way."""

import asyncio
import json

from structlog.testing import capture_logs

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.routes.filters.lambda_filter import Filter, read_filter
from consumer.core.shard.shard_state import Outcome
from tests.twins.line import SHARD, DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, sequence_of
from tests.twins.shard import FIRST, ShardTwin
from tests.twins.virtual_time import EPOCH


def only_key(*keys: str) -> Filter:
    return read_filter({"dynamodb": {"Keys": {"id": {"S": [*keys]}}}})


def filtered(line: Line) -> float:
    count: float = line.metrics.records_skipped.labels(reason="filtered")._value.get()
    return count


def test_only_what_the_filter_takes_is_published_and_the_rest_is_counted() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(400, keys=4)

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    line = run_line(main, shard=shard, asked=only_key("k1"))
    assert [sequence_of(body) for body in line.nakadi.stored] == [*range(FIRST + 1, FIRST + 400, 4)]
    assert filtered(line) == 300
    assert line.lease.checkpoint == SHARD_END
    assert line.backlog.budget.used == 0


def test_a_shard_of_which_nothing_is_taken_is_settled_as_it_is_read() -> None:
    shard = ShardTwin()
    shard.write_many(250, keys=4)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 249), 60.0)
            line.consumer.drain()

    line = run_line(main, shard=shard, asked=only_key("nobody"))
    assert line.nakadi.requests == []
    assert filtered(line) == 250
    assert line.outcome is Outcome.RELEASED


def test_what_was_filtered_does_not_pass_what_is_unsettled_before_it() -> None:
    shard = ShardTwin(page_records=10)
    shard.write_many(100, keys=100)
    nakadi = NakadiTwin(script=lambda _: Reply(503))

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: filtered(line) == 99, 60.0)
            await asyncio.sleep(30.0)
            assert line.lease.checkpoint == str(FIRST + 29)
            nakadi.script = None
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 99), 120.0)
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi, asked=only_key("k30"))
    assert [sequence_of(body) for body in nakadi.stored] == [FIRST + 30]
    assert filtered(line) == 99


def test_a_filtered_record_ends_a_gap() -> None:
    shard = ShardTwin(page_records=10)
    shard.write_many(100, keys=5)
    lease = Lease(SHARD, None, checkpoint=str(FIRST + 9), created_at=EPOCH - 90_000)
    shard.trimmed = 40

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: filtered(line) == 60, 60.0)
            line.consumer.drain()

    line = run_line(main, shard=shard, lease=lease, asked=only_key("nobody"))
    (gap,) = line.table.gaps[line.row.key].values()
    assert (gap.from_, gap.to, gap.reason) == (str(FIRST + 9), str(FIRST + 40), "trimmed")


def test_a_record_that_cannot_be_read_is_a_letter_whatever_the_filter_asks() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(4, keys=4)
    bad = b'{"eventID":"x","eventName":"MODIFY","dynamodb":{"SequenceNumber":"%d","Keys":5}}'
    unnumbered = b'{"eventID":"x","eventName":"MODIFY","dynamodb":{}}'
    image = json.loads(shard.records[2][1])
    image["dynamodb"]["NewImage"]["n"] = {"S": 7}
    unanswered = json.dumps(image).encode()
    shard.records[2] = (FIRST + 2, unanswered)
    shard.records.insert(1, (FIRST, bad % FIRST))
    shard.records.insert(2, (FIRST, unnumbered))
    queue = DeadLetterTwin()

    async def main(line: Line) -> None:
        assert await line.run_consumer() is Outcome.SHARD_END

    with capture_logs() as logs:
        asked = read_filter({"item": {"n": {"S": ["x"]}}})
        line = run_line(main, shard=shard, queue=queue, asked=asked)
    assert line.nakadi.stored == []
    letters = {letter.record for letter in queue.letters}
    assert letters == {bad % FIRST, unnumbered, unanswered}
    assert len(queue.letters) == 3
    assert {letter.reason for letter in queue.letters} == {"malformed_record"}
    assert filtered(line) == 3
    assert not [log for log in logs if "k2" in repr(log)]


def test_a_drain_is_not_held_by_filtered_records_and_makes_no_duplicate() -> None:
    """Records without events stand behind every event: none of them keeps a ticket."""
    shard = ShardTwin(page_records=100)
    shard.write_many(400, keys=16)
    nakadi = NakadiTwin(delay=0.2)
    taken = only_key("k0", "k4", "k8", "k12")

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) >= 20 and filtered(line) == 300)
            line.consumer.drain()
        assert line.outcome is Outcome.RELEASED
        assert len(nakadi.stored) < 40
        newest = max(sequence_of(body) for body in nakadi.stored)
        assert FIRST + 400 > int(line.lease.checkpoint or 0) >= newest
        line.consumer = line.new_consumer("other")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 100)
            line.consumer.drain()

    line = run_line(main, shard=shard, nakadi=nakadi, asked=taken)
    sequences = [sequence_of(body) for body in nakadi.stored]
    assert sorted(sequences) == [*range(FIRST, FIRST + 400, 4)]
    assert line.backlog.budget.used == 0
