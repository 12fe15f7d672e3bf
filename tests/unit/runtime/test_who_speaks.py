"""What something in between says, and an event that alone fails: nobody else is held up."""

import asyncio

import pytest
from structlog.testing import capture_logs

from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import FlowState
from consumer.core.publishing.partition import HashRule
from consumer.core.publishing.placement import Partitioning
from consumer.core.reports.status import NOTHING_SENT
from consumer.core.shard.shard_state import Outcome
from tests.twins.line import DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, key_of, sequence_of
from tests.twins.shard import FIRST, ShardTwin

KNOWN = Partitioning(("id",), ("0", "1", "2", "3"))
RULE = HashRule.of(KNOWN.fields, KNOWN.names)
QUICK = PublishLimits(max_attempts=5)


async def to_the_end(line: Line) -> None:
    assert await line.run_consumer() is Outcome.SHARD_END


def shown(line: Line) -> tuple[str, str | None]:
    """What `/status` shows of the event type."""
    status = line.event_type.status
    return status.state, status.reason


def firewall(*objected: int, reply: Reply) -> NakadiTwin:
    """Something in between that gives this answer to each request with one of these events."""
    bad = set(objected)
    return NakadiTwin(
        script=lambda bodies: reply if bad & set(map(sequence_of, bodies)) else Reply()
    )


FOREIGN = [
    Reply(400, foreign=True),
    Reply(403, foreign=True),
    Reply(422, foreign=True),
    Reply(502),
    Reply(0, reason="reset"),
    Reply(0, reason="unreadable"),  # as of a 422 with an empty list
]


@pytest.mark.parametrize("reply", FOREIGN, ids=lambda reply: reply.reason or str(reply.status))
def test_an_event_that_something_in_between_never_lets_pass_holds_up_only_its_key(
    reply: Reply,
) -> None:
    bad = FIRST + 123
    nakadi, queue = firewall(bad, reply=reply), DeadLetterTwin()
    shard = ShardTwin(page_records=500)
    shard.write_many(500, keys=250)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 498, 60)
            assert queue.letters == []
            number = 500
            while not queue.letters:  # a quiet table: a change of each partition every minute
                shard.write_many(8, keys=8, start=FIRST + number)
                number += 8
                await asyncio.sleep(60)
                assert number < 1_000
            await line.until(lambda: len(nakadi.stored) == number - 1, 60)
            line.consumer.drain()

    with capture_logs() as logs:
        run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=QUICK, partitioning=KNOWN)
    (letter,) = queue.letters
    assert (letter.sequence, letter.reason) == (bad, "attempts_exhausted")
    assert letter.detail.endswith("detail")
    assert nakadi.sequences("k123") == [FIRST + 373]  # its key went on
    assert "event_fails_alone" in [entry["event"] for entry in logs]
    (refused,) = [entry for entry in logs if entry["event"] == "event_refused"]
    assert refused["detail"].endswith("detail")


@pytest.mark.parametrize("status", [400, 422])
@pytest.mark.parametrize("keys", [1, 100])
def test_a_problem_that_names_nobody_refuses_one_event_and_holds_up_only_its_key(
    status: int, keys: int
) -> None:
    bad = FIRST + 23
    nakadi, queue = firewall(bad, reply=Reply(status)), DeadLetterTwin()
    shard = ShardTwin(closed=True)
    shard.write_many(100, keys=keys)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 99, 10)

    with capture_logs() as logs:
        run_line(main, shard=shard, nakadi=nakadi, queue=queue)
    assert [(letter.sequence, letter.reason) for letter in queue.letters] == [(bad, "rejected")]
    assert "event_type_stopped" not in [entry["event"] for entry in logs]


def test_a_422_for_all_is_stopped_by_the_limit_of_letters() -> None:
    nakadi, queue = NakadiTwin(script=lambda _: Reply(422)), DeadLetterTwin()
    shard = ShardTwin(closed=True)
    shard.write_many(50, keys=50)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(50)
            assert len(queue.letters) == 5
            assert shown(line) == (FlowState.STOPPED, "dead_letter_limit")
            nakadi.script = None

    limits = PublishLimits(dead_letter_limit=5)
    run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=limits)
    assert len(nakadi.stored) == 45


@pytest.mark.parametrize("reply", FOREIGN, ids=lambda reply: reply.reason or str(reply.status))
def test_in_a_true_outage_nothing_becomes_a_letter_and_nothing_is_given_up(reply: Reply) -> None:
    nakadi, queue = NakadiTwin(script=lambda _: reply), DeadLetterTwin()
    shard = ShardTwin(closed=True)
    shard.write_many(300, keys=100)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(7_200)
            assert line.event_type.flow.state is FlowState.BACKING_OFF
            late = [request for request in nakadi.requests if request.started > 3_600]
            assert len(late) < 3_600 / 5  # one at a time, after pauses
            nakadi.script = None
            await line.until(lambda: len(nakadi.stored) == 300, 60)
            assert shown(line) == (FlowState.PUBLISHING, None)

    run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=QUICK, partitioning=KNOWN)
    assert (queue.letters, len(nakadi.stored)) == ([], 300)


def test_an_outage_that_comes_and_goes_gives_nothing_up() -> None:
    """Whatever fails, others fail, too.

    By chance an event may be alone a few times while others are stored: hence ten tries. Two thirds
    of the requests fail, so these would be reached by many events if every try counted.
    """
    nakadi, queue = NakadiTwin(), DeadLetterTwin()
    shard = ShardTwin()
    turns = iter(range(1 << 30))

    def script(_: list[bytes]) -> Reply:
        return Reply() if next(turns) % 3 == 0 else Reply(502)

    nakadi.script = script

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            for number in range(100):
                shard.write_many(10, keys=10, start=FIRST + 10 * number)
                await asyncio.sleep(2)
            nakadi.script = None
            await line.until(lambda: len(nakadi.stored) == 1_000, 600)
            line.consumer.drain()

    limits = PublishLimits(max_attempts=10)
    run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=limits, partitioning=KNOWN)
    assert queue.letters == []


def test_while_an_event_fails_alone_the_others_keep_their_slots_and_the_status_says_so() -> None:
    nakadi = firewall(FIRST, reply=Reply(403, foreign=True))
    shard = ShardTwin(page_records=500)
    shard.write_many(100, keys=100)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 99, 60)
            await line.until(lambda: line.event_type.flow.state is FlowState.PUBLISHING)
            number = 100
            for _ in range(60):
                shard.write_many(100, keys=100, start=FIRST + number)
                number += 100
                await asyncio.sleep(1)
                assert line.event_type.flow.state is FlowState.PUBLISHING
            state, reason = shown(line)
            assert state is FlowState.BACKING_OFF
            assert reason == "foreign_403, for one event alone"
            assert line.event_type.flow.allowed == line.event_type.limits.concurrency
            nakadi.script = None
            await line.until(lambda: len(nakadi.stored) == number, 60)
            await asyncio.sleep(61)
            assert shown(line) == (FlowState.PUBLISHING, None)
            line.consumer.drain()

    run_line(main, shard=shard, nakadi=nakadi, partitioning=KNOWN)
    late = [len(request.bodies) for request in nakadi.requests if request.started > 30]
    assert max(late) > 50


def test_innocents_behind_a_firewall_pass_in_a_logarithm_of_requests() -> None:
    nakadi = firewall(FIRST + 300, reply=Reply(400, foreign=True))
    shard = ShardTwin(page_records=500)
    shard.write_many(500, keys=500)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.stored) == 499, 60)
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi, queue=DeadLetterTwin(), partitioning=KNOWN)
    assert len(nakadi.requests) <= 2 * 9 + 3


def partition_of(body: bytes) -> str:
    return RULE.partition(body) or ""


@pytest.mark.parametrize("down", [False, True])
def test_an_event_that_its_partition_alone_never_stores_is_a_letter_on_a_quiet_table_too(
    *, down: bool
) -> None:
    """Its 207 comes alone; others of the partition are stored by requests of their own, or not."""
    bad = FIRST
    nakadi, queue = NakadiTwin(), DeadLetterTwin()
    shard = ShardTwin()
    shard.write(FIRST, "k0")
    place: list[str] = []

    def script(bodies: list[bytes]) -> Reply:
        places = [partition_of(body) for body in bodies]
        if not place:
            place.extend(places[:1])
        failed = [
            sequence_of(body) == bad or (down and name == place[0])
            for body, name in zip(bodies, places, strict=True)
        ]
        if not any(failed):
            return Reply()
        items = [("failed" if each else "submitted", "publishing") for each in failed]
        return Reply(207, items, partitions=places)

    nakadi.script = script

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(nakadi.requests))
            for number in range(60):
                shard.write(FIRST + 1 + number, f"k{number % 8 + 1}")
                await asyncio.sleep(30)
            assert len(queue.letters) == (0 if down else 1)
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=QUICK, partitioning=KNOWN)


@pytest.mark.parametrize("reason", ["connect_timeout", "connect", "dns", "tls"])
def test_without_a_connection_nothing_is_unknown_and_no_batch_gets_smaller(reason: str) -> None:
    nakadi = NakadiTwin()
    nakadi.replies.extend([Reply(0, reason=reason)] * 3)
    shard = ShardTwin(closed=True)
    shard.write_many(100, keys=100)
    line = run_line(to_the_end, shard=shard, nakadi=nakadi)
    assert [len(request.bodies) for request in nakadi.requests] == [100] * 4
    assert line.counted("publish_unknown_total") == 0
    assert line.event_type.flow.batch_bytes == line.event_type.limits.batch_bytes


def test_nothing_is_said_to_be_published_before_anything_was_sent() -> None:
    shard = ShardTwin()

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(60)
            assert shown(line) == (NOTHING_SENT, None)
            shard.write(FIRST, "k")
            await line.until(lambda: line.event_type.published)
            assert shown(line) == (FlowState.PUBLISHING, None)
            line.consumer.drain()

    run_line(main, shard=shard)


# Answers with other items than events


def test_of_a_short_207_only_what_says_submitted_is_stored() -> None:
    nakadi = NakadiTwin()
    nakadi.replies.append(Reply(207, [("submitted", "publishing")], eids=[2], stores=[2]))
    shard = ShardTwin(closed=True)
    shard.write_many(4, keys=4)
    with capture_logs() as logs:
        line = run_line(to_the_end, shard=shard, nakadi=nakadi)
    assert sorted(map(sequence_of, nakadi.stored)) == [FIRST, FIRST + 1, FIRST + 2, FIRST + 3]
    (told,) = [entry for entry in logs if entry["event"] == "answer_incomplete"]
    assert (told["events"], told["missing"]) == (4, 3)
    again = [len(request.bodies) for request in nakadi.requests[1:]]
    assert max(again) == 2
    assert line.counted("publish_retries_total", reason="incomplete_answer") == 3


@pytest.mark.parametrize("status", [200, 207, 422])
def test_answers_that_are_about_no_event_are_an_outage_that_shows(status: int) -> None:
    def script(bodies: list[bytes]) -> Reply:
        return Reply(status, [("submitted", "publishing")] * (len(bodies) + 1), stores=())

    nakadi, queue = NakadiTwin(script=script), DeadLetterTwin()
    shard = ShardTwin(closed=True)
    shard.write_many(20, keys=20)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(3_600)
            assert shown(line) == (FlowState.BACKING_OFF, "unreadable")
            assert nakadi.stored == []
            nakadi.script = None

    run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=QUICK)
    assert (len(nakadi.stored), queue.letters) == (20, [])


def test_a_short_422_resends_the_innocent_and_refuses_whom_it_names() -> None:
    bad = FIRST + 2

    def script(bodies: list[bytes]) -> Reply:
        culprits = [at for at, body in enumerate(bodies) if sequence_of(body) == bad]
        return Reply(422, [("failed", "validating")], eids=culprits) if culprits else Reply()

    nakadi, queue = NakadiTwin(script=script), DeadLetterTwin()
    shard = ShardTwin(closed=True)
    shard.write_many(4, keys=4)
    run_line(to_the_end, shard=shard, nakadi=nakadi, queue=queue)
    assert [(letter.sequence, letter.reason) for letter in queue.letters] == [(bad, "validation")]
    assert len(nakadi.stored) == 3


def test_a_200_with_items_acks_what_says_submitted() -> None:
    nakadi = NakadiTwin()
    items = [("submitted", "publishing"), ("failed", "publishing"), ("submitted", "publishing")]
    nakadi.replies.append(Reply(200, items))
    shard = ShardTwin(closed=True)
    shard.write_many(3, keys=3)
    run_line(to_the_end, shard=shard, nakadi=nakadi)
    assert list(map(sequence_of, nakadi.stored)) == [FIRST, FIRST + 2, FIRST + 1]


# A hot key


def test_a_key_that_has_more_to_send_goes_at_the_pace_of_the_round_trip() -> None:
    shard = ShardTwin(closed=True, page_records=1_000)
    shard.write_many(2_000, keys=1)
    nakadi = NakadiTwin(delay=0.02)
    run_line(to_the_end, shard=shard, nakadi=nakadi)
    spans = [request.started for request in nakadi.requests]
    assert len(spans) == 2_000
    assert spans[-1] - spans[0] < 2_000 * 0.02 * 1.1


def test_others_that_have_just_come_do_not_hold_up_a_hot_key() -> None:
    shard = ShardTwin(page_records=1_000)
    shard.write_many(500, keys=1)
    nakadi = NakadiTwin(delay=0.02)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(nakadi.stored))
            for number in range(40):
                shard.write(FIRST + 500 + number, f"other-{number}")
                await asyncio.sleep(0.25)
            assert sum(key_of(body) == "k0" for body in nakadi.stored) > 9.0 / 0.02
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi)
