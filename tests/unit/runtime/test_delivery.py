"""What becomes of a batch, whatever Nakadi answers."""

import asyncio
import random
from itertools import pairwise
from math import inf
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.core.lasting import REMIND_SECONDS
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import FlowState
from consumer.core.shard.shard_state import Outcome
from tests.twins.line import DeadLetterTwin, Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply, key_of, sequence_of
from tests.twins.shard import FIRST, ShardTwin
from tests.twins.virtual_time import EPOCH, SetClock


def closed_shard(count: int, keys: int) -> ShardTwin:
    shard = ShardTwin(closed=True)
    shard.write_many(count, keys=keys)
    return shard


async def to_the_end(line: Line) -> None:
    assert await line.run_consumer() is Outcome.SHARD_END


def refuses(*sequences: int, status: int) -> NakadiTwin:
    """A Nakadi that refuses batches with these events: 422 naming the first, 400 naming none."""
    bad = set(sequences)

    def script(bodies: list[bytes]) -> Reply:
        culprits = [i for i, body in enumerate(bodies) if sequence_of(body) in bad]
        if not culprits:
            return Reply()
        if status == 400:
            return Reply(400)
        items = [("aborted", "validating") if i < culprits[0] else ("aborted", "none")
                 for i in range(len(bodies))]  # fmt: skip
        items[culprits[0]] = ("failed", "validating")
        return Reply(422, items)

    return NakadiTwin(script=script)


def test_the_halves_of_a_batch_are_asked_about_again() -> None:
    """The fence passes while a batch is refused without a name: none of its halves is sent."""

    async def main(line: Line) -> None:
        def script(_: list[bytes]) -> Reply:
            line.fence.deadline = 0.0
            return Reply(400)

        line.nakadi.script = script
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(line.nakadi.requests))
            await asyncio.sleep(60)
            assert len(line.nakadi.requests) == 1
            line.consumer.revoke()

    run_line(main, shard=closed_shard(8, keys=8))


def test_one_event_of_a_key_travels_at_a_time() -> None:
    line = run_line(to_the_end, shard=closed_shard(200, keys=5), nakadi=NakadiTwin(delay=0.1))
    for request in line.nakadi.requests:
        assert len(set(request.keys)) == len(request.keys)
    by_key: dict[str, list[tuple[float, float]]] = {}
    for request in line.nakadi.requests:
        for key in request.keys:
            by_key.setdefault(key, []).append((request.started, request.ended or inf))
    assert len(by_key) == 5
    for spans in by_key.values():
        for (_, ended), (started, _) in pairwise(spans):
            assert started >= ended


def test_a_run_carries_several_events_of_a_key_in_order() -> None:
    limits = PublishLimits(key_run_events=10)
    line = run_line(to_the_end, shard=closed_shard(100, keys=1), limits=limits)
    assert len(line.nakadi.requests) == 10
    assert line.nakadi.sequences("k0") == [FIRST + i for i in range(100)]


def test_after_a_partial_failure_a_run_is_resent_from_its_first_event_that_is_not_stored() -> None:
    nakadi = NakadiTwin()
    items = [("submitted", "publishing")] * 5
    items[2] = ("failed", "publishing")
    nakadi.replies.append(Reply(207, items))
    limits = PublishLimits(key_run_events=5)
    line = run_line(to_the_end, shard=closed_shard(5, keys=1), nakadi=nakadi, limits=limits)
    sent = [[sequence_of(body) - FIRST for body in request.bodies] for request in nakadi.requests]
    assert sent == [[0, 1, 2, 3, 4], [2, 3, 4]]
    assert line.nakadi.sequences("k0")[-1] == FIRST + 4


def test_what_a_207_does_not_name_submitted_is_sent_again_with_the_same_bytes() -> None:
    nakadi = NakadiTwin()
    nakadi.replies.append(
        Reply(207, [("submitted", ""), ("failed", "publishing"), ("aborted", "none")])
    )
    run_line(to_the_end, shard=closed_shard(3, keys=3), nakadi=nakadi)
    first, *others = nakadi.requests
    again = [body for request in others for body in request.bodies]
    assert sorted(again) == sorted(first.bodies[1:])


@pytest.mark.parametrize("status", [422, 400])
def test_poison_is_isolated_and_goes_to_the_dead_letter_queue(status: int) -> None:
    bad = [FIRST + 3, FIRST + 77, FIRST + 150]
    queue = DeadLetterTwin()
    line = run_line(
        to_the_end, shard=closed_shard(200, keys=100), nakadi=refuses(*bad, status=status),
        queue=queue,
    )  # fmt: skip
    assert sorted(letter.sequence or 0 for letter in queue.letters) == bad
    stored = sorted(sequence_of(body) for body in line.nakadi.stored)
    assert stored == [FIRST + i for i in range(200) if FIRST + i not in bad]
    reasons = {letter.reason for letter in queue.letters}
    assert reasons == {"validation" if status == 422 else "rejected"}


def test_a_culprit_among_500_is_found_in_a_logarithm_of_requests() -> None:
    shard = ShardTwin(closed=True, page_records=500)
    shard.write_many(500, keys=500)
    nakadi = refuses(FIRST + 123, status=400)
    run_line(to_the_end, shard=shard, nakadi=nakadi, queue=DeadLetterTwin())
    assert len(nakadi.requests) <= 2 * 9 + 1


def test_a_dead_letter_is_accepted_before_the_checkpoint_passes_it() -> None:
    shard = ShardTwin()
    shard.write_many(10, keys=10)
    queue = DeadLetterTwin(refuse=1000)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 9)
            await asyncio.sleep(60)
            assert line.lease.checkpoint == str(FIRST + 3)
            queue.refuse = 0
            await line.until(lambda: line.lease.checkpoint == str(FIRST + 9))
            line.consumer.drain()

    run_line(main, shard=shard, nakadi=refuses(FIRST + 4, status=400), queue=queue)
    assert len(queue.letters) == 1


@pytest.mark.parametrize("spoils", [False, True], ids=["refused alone", "whole calls fail"])
def test_letters_that_the_queue_never_takes_hold_up_no_others(*, spoils: bool) -> None:
    never = frozenset(range(FIRST, FIRST + 12))
    queue = DeadLetterTwin(never=never, spoils=never if spoils else frozenset())

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(queue.letters) == 18, 600)
            line.consumer.drain()
        assert {letter.sequence for letter in queue.letters} == set(range(FIRST + 12, FIRST + 30))

    shard = ShardTwin()
    shard.write_many(30, keys=30)
    run_line(main, shard=shard, nakadi=refuses(*range(FIRST, FIRST + 30), status=422), queue=queue)


def test_without_a_queue_a_poison_event_blocks_its_own_key_and_nothing_else() -> None:
    shard = ShardTwin()
    shard.write_many(30, keys=10)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(line.nakadi.stored) == 27)
            await asyncio.sleep(100)
            assert line.nakadi.sequences("k4") == []
            assert line.event_type.flow.state is FlowState.PUBLISHING
            await asyncio.sleep(REMIND_SECONDS)
            line.nakadi.script = None  # the schema was mended
            await line.until(lambda: len(line.nakadi.stored) == 30)
            line.consumer.drain()

    with capture_logs() as logs:
        line = run_line(main, shard=shard, nakadi=refuses(FIRST + 4, status=422))
    told = [log for log in logs if log.get("sequence") == FIRST + 4]
    assert [log["event"] for log in told] == [
        "event_refused", "key_blocked", "key_blocked", "condition_over",
    ]  # fmt: skip
    assert [log.get("lasts_seconds", 0.0) >= REMIND_SECONDS for log in told[1:]] == [
        False, True, True,
    ]  # fmt: skip
    assert line.nakadi.sequences("k4") == [FIRST + 4, FIRST + 14, FIRST + 24]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504, 0, 408])
def test_an_outage_is_never_poison_and_loses_nothing(status: int) -> None:
    nakadi = NakadiTwin(script=lambda _: Reply(status, delay=0.1))
    queue = DeadLetterTwin()
    shard = closed_shard(100, keys=50)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(1000)
            assert line.event_type.flow.state is FlowState.BACKING_OFF
            assert line.event_type.flow.allowed == 1
            nakadi.script = None

    with capture_logs() as logs:
        line = run_line(main, shard=shard, nakadi=nakadi, queue=queue)
    told = [log for log in logs if log.get("event_type") == line.event_type.name]
    assert [log["event"] for log in told] == [*["publishing_backs_off"] * 4, "publishing_resumed"]
    assert told[-1]["lasts_seconds"] > 999
    assert queue.letters == []
    assert len(nakadi.stored) == 100
    assert line.lease.checkpoint == SHARD_END


def test_during_an_outage_one_probe_at_a_time_goes_out_and_not_many() -> None:
    nakadi = NakadiTwin(script=lambda _: Reply(503, delay=0.01))
    shard = ShardTwin()
    shard.write_many(2000, keys=2000)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(600)
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi)
    late = [request for request in nakadi.requests if request.started > 60]
    assert 30 < len(late) < 80
    for before, after in pairwise(late):
        assert after.started >= (before.ended or inf)


def test_retry_after_is_honoured() -> None:
    nakadi = NakadiTwin()
    nakadi.replies.append(Reply(429, retry_after=40.0))
    run_line(to_the_end, shard=closed_shard(1, keys=1), nakadi=nakadi)
    first, second = nakadi.requests
    assert first.ended is not None
    assert second.started - first.ended >= 40.0


@pytest.mark.parametrize("status", [403, 404])
def test_a_refusal_at_the_door_stops_the_event_type_and_a_probe_starts_it(status: int) -> None:
    nakadi = NakadiTwin(script=lambda _: Reply(status))
    queue = DeadLetterTwin()
    shard = closed_shard(100, keys=100)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(301)
            assert line.event_type.flow.state is FlowState.STOPPED
            assert line.event_type.refused()
            assert not line.event_type.refused({line.event_type.name})
            probes = [request for request in nakadi.requests if request.started > 1]
            assert 9 <= len(probes) <= 10
            assert all(len(probe.bodies) == 1 for probe in probes)
            await asyncio.sleep(30)
            nakadi.script = None

    with capture_logs() as logs:
        line = run_line(main, shard=shard, nakadi=nakadi, queue=queue)
    told = [log for log in logs if log.get("event_type") == line.event_type.name]
    assert [log["event"] for log in told] == [*["event_type_stopped"] * 2, "publishing_resumed"]
    assert REMIND_SECONDS <= told[1]["lasts_seconds"] < told[2]["lasts_seconds"]
    assert queue.letters == []
    assert len(nakadi.stored) == 100
    assert not line.event_type.refused()


def test_each_probe_of_a_stopped_event_type_tries_another_key() -> None:
    nakadi = NakadiTwin(script=lambda _: Reply(403))
    shard = ShardTwin()
    shard.write_many(20, keys=20)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(301)
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi)
    probed = [request.keys[0] for request in nakadi.requests[1:]]
    assert len(probed) >= 9
    assert len(set(probed)) == len(probed)


def test_an_expired_event_in_the_middle_of_a_run_waits_until_it_leads() -> None:
    shard = ShardTwin(closed=True)
    shard.write(FIRST, "a", created_at=EPOCH)
    shard.write(FIRST + 1, "a", created_at=EPOCH - 7200)
    shard.write(FIRST + 2, "a", created_at=EPOCH)
    queue = DeadLetterTwin()
    limits = PublishLimits(max_record_age=3600.0, key_run_events=5)
    line = run_line(to_the_end, shard=shard, queue=queue, limits=limits)
    assert line.nakadi.sequences("a") == [FIRST, FIRST + 2]
    assert [letter.sequence for letter in queue.letters] == [FIRST + 1]


def test_too_many_refused_events_stop_the_event_type_instead_of_emptying_the_table() -> None:
    def script(bodies: list[bytes]) -> Reply:
        return Reply(400)

    nakadi, queue = NakadiTwin(script=script), DeadLetterTwin()
    shard = ShardTwin(page_records=1000)
    shard.write_many(1000, keys=1000)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(1800)
            stopped.extend(log for log in logs if log["event"] == "event_type_stopped")
            assert line.event_type.flow.state is FlowState.STOPPED
            assert line.event_type.flow.reason == "dead_letter_limit"
            assert len(queue.letters) <= 100
            nakadi.script = None
            await line.until(lambda: len(nakadi.stored) == 1000 - len(queue.letters))
            line.consumer.drain()

    stopped: list[Any] = []
    with capture_logs() as logs:
        run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=PublishLimits())
    assert len(queue.letters) <= 100
    assert 5 <= len(stopped) <= 7  # at once, then every five minutes of the half hour
    assert all("dead_letter_limit" in log["reason"] for log in stopped)


def test_a_413_halves_the_batch_and_an_event_too_large_alone_is_a_dead_letter() -> None:
    huge = FIRST + 7

    def script(bodies: list[bytes]) -> Reply:
        too_many = sum(len(body) for body in bodies) > 20_000
        return Reply(413) if too_many or any(sequence_of(b) == huge for b in bodies) else Reply()

    shard = ShardTwin(closed=True)
    shard.write_many(100, keys=100, size=500)
    queue = DeadLetterTwin()
    line = run_line(to_the_end, shard=shard, nakadi=NakadiTwin(script=script), queue=queue)
    assert len(line.nakadi.stored) == 99
    assert [(letter.sequence, letter.reason) for letter in queue.letters] == [(huge, "too_large")]
    assert line.event_type.flow.batch_bytes < 900_000


def test_a_request_that_cannot_be_written_in_time_is_sent_again_smaller() -> None:
    def script(bodies: list[bytes]) -> Reply:
        if sum(len(body) for body in bodies) > 30_000:
            return Reply(0, reason="send_timeout")
        return Reply()

    shard = ShardTwin(closed=True)
    shard.write_many(100, keys=100, size=1000)
    line = run_line(to_the_end, shard=shard, nakadi=NakadiTwin(script=script))
    assert len(line.nakadi.stored) == 100


def test_events_older_than_the_limit_are_dead_letters_unpublished() -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(5, keys=5, created_at=EPOCH - 7200)
    shard.write_many(5, keys=5, start=FIRST + 5, created_at=EPOCH)
    queue = DeadLetterTwin()
    limits = PublishLimits(max_record_age=3600.0)
    line = run_line(to_the_end, shard=shard, queue=queue, limits=limits)
    assert sorted(sequence_of(b) for b in line.nakadi.stored) == [FIRST + i for i in range(5, 10)]
    assert {letter.reason for letter in queue.letters} == {"expired"}
    assert {letter.attempts for letter in queue.letters} == {0}


@pytest.mark.parametrize("ahead", [7200.0, -7200.0])
def test_a_wall_clock_that_is_wrong_or_set_expires_no_young_event_and_keeps_no_old_one(
    ahead: float,
) -> None:
    shard = ShardTwin(closed=True)
    shard.write_many(5, keys=5, created_at=EPOCH - 3700)
    shard.write_many(5, keys=5, start=FIRST + 5, created_at=EPOCH)
    nakadi, queue = NakadiTwin(script=lambda _: Reply(503)), DeadLetterTwin()
    clocks: list[SetClock] = []

    def clock() -> SetClock:
        clocks.append(SetClock(ahead))
        return clocks[0]

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await asyncio.sleep(100)
            clocks[0].machine.ahead = -ahead
            await asyncio.sleep(100)
            assert line.view.age(line.clock.wall()) == pytest.approx(200, abs=1)
            nakadi.script = None

    limits = PublishLimits(max_record_age=3600.0)
    line = run_line(main, shard=shard, nakadi=nakadi, queue=queue, limits=limits, clock=clock)
    assert sorted(sequence_of(b) for b in line.nakadi.stored) == [FIRST + i for i in range(5, 10)]
    assert {letter.sequence for letter in queue.letters} == {FIRST + i for i in range(5)}


def test_the_second_half_of_a_refused_batch_is_not_sent_behind_the_fence() -> None:
    nakadi = NakadiTwin()
    nakadi.replies.append(Reply(400))
    shard = ShardTwin()
    shard.write_many(10, keys=10)

    async def main(line: Line) -> None:
        def script(bodies: list[bytes]) -> Reply:
            line.clock.shift += 200_000  # the process stands still while the first half travels
            return Reply()

        nakadi.script = script
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: len(nakadi.requests) == 2)
            await asyncio.sleep(10)
            assert len(nakadi.requests) == 2
            line.consumer.revoke()

    run_line(main, shard=shard, nakadi=nakadi)


def test_an_answer_for_a_run_of_a_lost_shard_only_frees_its_key() -> None:
    nakadi = NakadiTwin()
    nakadi.replies.append(Reply(207, [("submitted", "x"), ("failed", "x")] * 2, delay=5.0))
    shard = ShardTwin()
    shard.write_many(4, keys=1)

    async def main(line: Line) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(line.run_consumer())
            await line.until(lambda: bool(nakadi.requests))
            line.consumer.revoke()
            await line.until(lambda: line.outcome is not None)
            assert line.backlog.events == 4
            await asyncio.sleep(10)
        assert line.backlog.events == 0
        assert line.backlog.budget.used == 0

    run_line(main, shard=shard, nakadi=nakadi, limits=PublishLimits(key_run_events=10))
    assert len(nakadi.requests) == 1


@pytest.mark.parametrize("seed", range(25))
@pytest.mark.parametrize("run", [1, 4])
def test_any_mixture_of_answers_loses_nothing_and_keeps_every_keys_order(
    seed: int, run: int
) -> None:
    rng = random.Random(seed)
    until = rng.uniform(20, 120)

    def script(bodies: list[bytes]) -> Reply:
        delay = rng.choice([0.01, 0.05, 0.5])
        if asyncio.get_running_loop().time() > until:
            return Reply(delay=delay)
        kind = rng.choice(["ok", "ok", "partial", "refused", "outage", "unknown", "door", "400"])
        count = len(bodies)
        if kind == "partial":
            states = [rng.choice(["submitted", "failed", "aborted"]) for _ in range(count)]
            parts = [rng.choice("01") for _ in range(count)]
            stores = [i for i, s in enumerate(states) if s == "submitted" or rng.random() < 0.2]
            items = [(state, "publishing") for state in states]
            return Reply(207, items, delay=delay, stores=stores, partitions=parts)
        if kind == "refused":
            bad = rng.randrange(count + 1)
            items = [("failed" if i == bad else "aborted", "validating") for i in range(count)]
            return Reply(422, items, delay=delay)
        if kind == "unknown":
            stored = range(count) if rng.random() < 0.5 else ()
            return Reply(rng.choice([0, 500, 504]), delay=delay, stores=stored)
        statuses = {"ok": 200, "outage": rng.choice([429, 503]), "door": 403, "400": 400}
        return Reply(statuses[kind], delay=delay)

    shard = ShardTwin(closed=True, page_records=rng.choice([7, 100]))
    count = rng.choice([50, 300])
    shard.write_many(count, keys=rng.choice([1, 5, 60]))
    queue = DeadLetterTwin()
    limits = PublishLimits(key_run_events=run, dead_letter_limit=0, max_attempts=5)
    line = run_line(
        to_the_end, shard=shard, nakadi=NakadiTwin(script=script), queue=queue, limits=limits
    )
    dead = {letter.sequence for letter in queue.letters}
    stored = {sequence_of(body) for body in line.nakadi.stored}
    assert stored | dead == {FIRST + i for i in range(count)}
    for key in {key_of(body) for body in line.nakadi.stored}:
        highest = 0
        for sequence in line.nakadi.sequences(key):
            # A repeat may only follow directly while strict; runs repeat a suffix.
            assert run > 1 or sequence >= highest
            highest = max(highest, sequence)
        # An event that landed unseen may be refused when sent again: a dead letter.
        assert line.nakadi.sequences(key)[-1] == highest or highest in dead
    assert line.backlog.budget.used == 0
    assert line.backlog.events == 0
