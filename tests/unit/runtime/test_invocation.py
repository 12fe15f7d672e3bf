"""What an invocation of Lambda answers, whatever Nakadi says and whatever time is left."""

import asyncio
import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.invocation.batch_answer import Unsettled
from consumer.core.invocation.settled_memory import SettledMemory
from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import POSTPONEMENTS
from tests.twins.invocations import LIMITS, ROUTE, Process, some_records, with_limits
from tests.twins.line import DeadLetterTwin
from tests.twins.nakadi import NakadiTwin, Reply, Script, refusal, sequence_of
from tests.twins.shard import FIRST
from tests.twins.virtual_time import EPOCH, run


def number(unsettled: Unsettled | None) -> int | None:
    """How many records are settled before the first unsettled one; None if all are."""
    return None if unsettled is None else int(unsettled.number or 0) - FIRST


def down(_: list[bytes]) -> Reply:
    return Reply(503, delay=0.01)


def test_all_is_stored_and_nothing_is_left_of_the_invocation() -> None:
    async def main() -> None:
        process = Process()
        assert await process.invoke(some_records(500, keys=100)) is None
        assert len(asyncio.all_tasks()) == 1
        for key in range(100):
            expected = [FIRST + i for i in range(key, 500, 100)]
            assert process.nakadi.sequences(f"k{key}") == expected

    run(main)


@pytest.mark.parametrize(
    ("script", "seconds", "settled", "requests"),
    [
        pytest.param(None, 120.0, None, True, id="stored"),
        pytest.param(None, 45.0, None, True, id="just enough time"),
        pytest.param(None, 44.9, 0, False, id="too little time"),
        pytest.param(down, 120.0, 0, True, id="503"),
        pytest.param(lambda _: Reply(429, retry_after=5.0), 120.0, 0, True, id="429"),
        pytest.param(lambda _: Reply(403), 120.0, 0, True, id="403"),
        pytest.param(lambda _: Reply(401), 120.0, 0, True, id="401"),
        pytest.param(lambda _: Reply(0, reason="connect"), 120.0, 0, True, id="no connection"),
        pytest.param(
            lambda _: Reply(0, reason="timeout", delay=40.0), 120.0, 0, True, id="no answer"
        ),
        pytest.param(lambda _: Reply(200, delay=39.0), 50.0, None, True, id="late but in time"),
    ],
)  # fmt: skip
def test_the_answer_is_the_first_unsettled_record(
    script: Any, seconds: float, settled: int | None, requests: bool
) -> None:
    async def main() -> None:
        process = Process(NakadiTwin(script=script))
        begun = process.clock.now()
        found = await process.invoke(some_records(10, keys=10), seconds)
        assert number(found) == settled
        assert bool(process.nakadi.requests) is requests
        assert process.clock.now() - begun < seconds
        assert all(request.ended is not None for request in process.nakadi.requests)
        assert len(asyncio.all_tasks()) == 1

    run(main)


PLACE = 6
"""The event, of ten, that an answer of the matrix is about."""


def about(status: int, *, delay: float = 0.01) -> Script:
    """An answer that names that event or, with 400, its batch; all others are stored."""

    def script(bodies: list[bytes]) -> Reply:
        bad = [i for i, body in enumerate(bodies) if sequence_of(body) == FIRST + PLACE]
        if not bad:
            return Reply(delay=delay)
        if status == 422:
            return dataclasses.replace(refusal(len(bodies), bad[0]), delay=delay)
        if status == 207:
            items = [("failed" if i in bad else "submitted", "") for i in range(len(bodies))]
            return Reply(207, items, delay=delay)
        return Reply(status, delay=delay)

    return script


def always(status: int, reason: str = "", *, foreign: bool = False, delay: float = 0.01) -> Script:
    return lambda _: Reply(status, reason=reason, foreign=foreign, delay=delay)


TIMES = (44.0, 45.5, 50.0, 60.0, 120.0)
MATRIX: dict[str, tuple[Script, tuple[int | None, ...]]] = {
    # the records before the first unsettled one, by the seconds left; None: all are settled
    "200": (always(200), (0, None, None, None, None)),
    "200 after 30 s": (always(200, delay=30.0), (0, None, None, None, None)),
    "207 for one": (about(207), (0, PLACE, PLACE, PLACE, PLACE)),
    "422 for one": (about(422), (0, PLACE, PLACE, None, None)),  # its third try is after 5 s
    "422 for one, after 20 s": (about(422, delay=20.0), (0, 0, 0, 0, PLACE)),
    "400 for one": (about(400), (0, None, None, None, None)),
    "400 for one, after 4 s": (about(400, delay=4.0), (0, 0, 5, 5, None)),
    "413 for two and more": (
        lambda bodies: Reply(413) if len(bodies) > 1 else Reply(),
        (0, None, None, None, None),
    ),
    **{
        name: (script, (0, 0, 0, 0, 0))
        for name, script in {
            "401": always(401),
            "403": always(403),
            "404": always(404),
            "408": always(408),
            "429": always(429),
            "500": always(500),
            "502 of a proxy": always(502, foreign=True),
            "503": always(503),
            "504": always(504),
            "400 of a proxy": always(400, foreign=True),
            "no connection": always(0, "connect"),
            "no answer": always(0, "timeout", delay=40.0),
            "reset": always(0, "reset"),
        }.items()
    },
}


@pytest.mark.parametrize("index", range(len(TIMES)), ids=[f"{each:g} s" for each in TIMES])
@pytest.mark.parametrize("name", MATRIX)
def test_each_answer_with_each_time_left(name: str, index: int) -> None:
    script, expected = MATRIX[name]

    async def main() -> None:
        process = Process(NakadiTwin(script=script), DeadLetterTwin())
        found = await process.invoke(some_records(10, keys=10), TIMES[index])
        assert number(found) == expected[index]
        assert process.clock.now() <= TIMES[index] - 2
        assert len(asyncio.all_tasks()) == 1

    run(main)


@pytest.mark.parametrize("place", [0, 3, 9])
@pytest.mark.parametrize("seconds", [50.0, 60.0, 120.0])
def test_it_is_that_of_a_207_whose_event_fails(place: int, seconds: float) -> None:
    def script(bodies: list[bytes]) -> Reply:
        failed = [sequence_of(body) == FIRST + place for body in bodies]
        items = [("failed" if each else "submitted", "publishing") for each in failed]
        return Reply(207, items) if any(failed) else Reply()

    async def main() -> None:
        process = Process(NakadiTwin(script=script))
        assert number(await process.invoke(some_records(10, keys=10), seconds)) == place
        assert len(process.nakadi.stored) == 9

    run(main)


@pytest.mark.parametrize("queue", [True, False])
def test_poison_is_settled_by_a_letter_and_never_without_a_queue(*, queue: bool) -> None:
    def script(bodies: list[bytes]) -> Reply:
        bad = [i for i, body in enumerate(bodies) if sequence_of(body) == FIRST + 4]
        return refusal(len(bodies), bad[0]) if bad else Reply()

    async def main() -> None:
        letters = DeadLetterTwin() if queue else None
        process = Process(NakadiTwin(script=script), letters)
        found = await process.invoke(some_records(10, keys=10))
        assert number(found) == (None if queue else 4)
        assert len(process.nakadi.stored) == 9
        if letters is not None:
            assert [(each.sequence, each.shard_id) for each in letters.letters] == [(FIRST + 4, "")]

    run(main)


def test_a_letter_that_the_queue_does_not_take_is_no_settled_record() -> None:
    async def main() -> None:
        queue = DeadLetterTwin(refuse=1000)
        process = Process(NakadiTwin(script=lambda bodies: refusal(len(bodies), 0)), queue)
        begun = process.clock.now()
        assert number(await process.invoke(some_records(1, keys=1))) == 0
        assert process.clock.now() - begun < 120
        queue.refuse = 0
        assert await process.invoke(some_records(1, keys=1)) is None
        assert len(queue.letters) == 1

    run(main)


def test_a_letter_starts_only_while_its_time_is_left() -> None:
    async def main() -> None:
        queue = DeadLetterTwin()
        nakadi = NakadiTwin(script=lambda _: Reply(400, delay=30.0))
        process = Process(nakadi, queue)
        assert number(await process.invoke(some_records(1, keys=1), 50.0)) == 0
        assert queue.letters == []
        nakadi.script = lambda _: Reply(400, delay=20.0)
        assert await process.invoke(some_records(1, keys=1), 50.0) is None
        assert len(queue.letters) == 1

    run(main)


def test_what_was_stored_is_not_sent_again_by_the_same_process() -> None:
    def script(bodies: list[bytes]) -> Reply:
        failed = [sequence_of(body) == FIRST + 2 for body in bodies]
        items = [("failed" if each else "submitted", "publishing") for each in failed]
        return Reply(207, items) if any(failed) else Reply()

    async def main() -> None:
        process = Process(NakadiTwin(script=script))
        records = some_records(10, keys=10)
        assert number(await process.invoke(records)) == 2
        process.nakadi.script = None
        assert await process.invoke(records[2:]) is None
        assert sorted(map(sequence_of, process.nakadi.stored)) == [FIRST + i for i in range(10)]
        other = Process(process.nakadi)
        assert await other.invoke(records[2:]) is None
        assert len(process.nakadi.stored) == 18

    run(main)


def test_the_route_that_is_down_holds_the_batch_and_the_other_one_goes_on() -> None:
    async def main() -> None:
        other = NakadiTwin(script=down)
        routes = (ROUTE, replace(ROUTE, event_type="order-store.audit", name="audit"))
        process = Process(routes=routes, beside={"order-store.audit": other})
        records = some_records(10, keys=10)
        assert number(await process.invoke(records)) == 0
        other.script = None
        assert await process.invoke(records) is None
        assert len(process.nakadi.stored) == len(other.stored) == 10

    run(main)


def test_order_holds_across_invocations_of_a_process() -> None:
    async def main() -> None:
        process = Process(NakadiTwin(script=down))
        records = some_records(50, keys=1)
        assert number(await process.invoke(records)) == 0
        process.nakadi.script = None
        assert await process.invoke(records) is None
        assert process.nakadi.sequences("k0") == [FIRST + i for i in range(50)]

    run(main)


@pytest.mark.parametrize(("most", "later"), [(6, 0.0), (20_000, 3_569.0)])
def test_an_old_event_of_a_key_is_never_the_last_that_is_sent(most: int, later: float) -> None:
    """The older events are forgotten first: there are too many, or an hour has passed."""

    async def main() -> None:
        routes = (ROUTE, replace(ROUTE, event_type="order-store.audit", name="audit"))
        process = Process(
            NakadiTwin(script=lambda _: Reply(delay=2.0)),
            routes=routes,
            beside={"order-store.audit": NakadiTwin(script=down)},
            memory=SettledMemory(most),
        )
        records = some_records(10, keys=1)
        assert number(await process.invoke(records)) == 0
        await process.clock.sleep(later)
        assert number(await process.invoke(records)) == 0
        once = [FIRST + i for i in range(10)]
        assert process.nakadi.sequences("k0") == once * 2

    run(main)


def test_tries_count_on_in_the_next_invocation() -> None:
    """The third 422 makes a letter, though each invocation has time for one request only."""

    async def main() -> None:
        queue = DeadLetterTwin()
        nakadi = NakadiTwin(script=lambda bodies: refusal(len(bodies), 0))
        process = Process(nakadi, queue)
        records = some_records(1, keys=1)
        assert number(await process.invoke(records, 46.0)) == 0
        assert number(await process.invoke(records, 46.0)) == 0
        assert await process.invoke(records, 46.0) is None
        assert [letter.attempts for letter in queue.letters] == [3]

    run(main)


def test_a_batch_of_unreadable_records_comes_to_its_end_in_spite_of_the_limit() -> None:
    """They are never sent, so nothing but what is remembered of them ends the stop."""

    async def main() -> None:
        queue = DeadLetterTwin()
        process = Process(queue=queue, routes=(with_limits(dead_letter_limit=3),))
        given = [each.replace(b'"Keys":', b'"Names":') for each in some_records(5, keys=5)]
        records, invocations = given, 1
        while (found := number(await process.invoke(records))) is not None:
            records, invocations = given[found:], invocations + 1
            assert invocations < 15
            await process.clock.sleep(30)
        assert sorted(each.sequence or 0 for each in queue.letters) == [FIRST + i for i in range(5)]
        assert invocations > POSTPONEMENTS  # the limit has held

    run(main)


def test_an_outage_costs_the_patience_and_not_the_whole_time() -> None:
    async def main() -> None:
        process = Process(NakadiTwin(script=down))
        begun = process.clock.now()
        await process.invoke(some_records(10, keys=10), 900.0)
        assert 20 <= process.clock.now() - begun < 21

    run(main)


def test_slow_progress_goes_on_until_the_time_is_over() -> None:
    async def main() -> None:
        process = Process(NakadiTwin(script=lambda _: Reply(delay=15.0)), routes=(with_limits(),))
        found = await process.invoke(some_records(10, keys=1), 100.0)
        assert number(found) == 4  # the fourth begins after 45 s, none after 55 s
        assert len(process.nakadi.requests) == 4

    run(main)


def test_a_request_that_does_not_end_is_given_up() -> None:
    """The adapter ends each request in time; if it did not, the invocation would."""

    async def main() -> None:
        process = Process(NakadiTwin(script=lambda _: Reply(delay=1e6)))
        begun = process.clock.now()
        assert number(await process.invoke(some_records(10, keys=10), 60.0)) == 0
        assert process.clock.now() - begun <= 58.5
        assert len(asyncio.all_tasks()) == 1

    run(main)


def test_what_is_older_than_the_start_is_settled_before_its_age_is_asked() -> None:
    async def main() -> None:
        limits = replace(LIMITS, start=EPOCH)
        queue = DeadLetterTwin()
        routes = (replace(ROUTE, limits=PublishLimits(max_record_age=3_600.0)),)
        process = Process(queue=queue, limits=limits, routes=routes)
        old = some_records(5, keys=5, created_at=EPOCH - 86_400)
        new = some_records(5, keys=5, start=FIRST + 5)
        assert await process.invoke([*old, *new]) is None
        assert len(process.nakadi.stored) == 5
        assert queue.letters == []
        skipped = process.metrics.records_skipped.labels(reason="before_start")
        assert skipped._value.get() == 5

    run(main)


def test_a_start_holds_from_its_minute_on_as_in_the_service() -> None:
    async def main() -> None:
        process = Process(limits=replace(LIMITS, start=EPOCH + 30 - EPOCH % 60))
        begun = EPOCH - EPOCH % 60
        records = [
            *some_records(1, keys=1, created_at=begun - 1),
            *some_records(1, keys=1, start=FIRST + 1, created_at=begun),
        ]
        assert await process.invoke(records) is None
        assert process.nakadi.sequences("k0") == [FIRST + 1]

    run(main)


def test_nothing_waits_for_more_to_fill_a_request() -> None:
    async def main() -> None:
        nakadi = NakadiTwin(script=lambda _: Reply(delay=5.0))
        process = Process(nakadi, routes=(with_limits(batch_events=6, linger=10.0),))
        begun = process.clock.now()
        assert await process.invoke(some_records(10, keys=10)) is None
        assert process.clock.now() - begun < 6  # the rest does not wait for the first answer

    run(main)


def test_what_is_too_old_becomes_a_letter_though_its_event_type_is_down() -> None:
    """So an age limit frees the lane, and a payload that the mapping gave up can be invoked."""

    async def main() -> None:
        queue = DeadLetterTwin()
        routes = (replace(ROUTE, limits=PublishLimits(max_record_age=3_600.0)),)
        process = Process(NakadiTwin(script=down), queue, routes=routes)
        old = some_records(30, keys=30, created_at=EPOCH - 86_400)
        new = some_records(1, keys=1, start=FIRST + 30)
        assert number(await process.invoke([*old, *new])) == 30
        assert [letter.reason for letter in queue.letters] == ["expired"] * 30

    run(main)


def test_a_batch_that_does_not_fit_into_memory_goes_in_slices() -> None:
    async def main() -> None:
        limits = replace(LIMITS, queue_bytes=100_000)
        process = Process(limits=limits)
        assert await process.invoke(some_records(500, keys=250, size=2_000)) is None
        assert max(len(request.bodies) for request in process.nakadi.requests) < 100
        for key in range(250):
            assert process.nakadi.sequences(f"k{key}") == [FIRST + key, FIRST + key + 250]

    run(main)


def test_what_was_not_even_begun_is_unsettled() -> None:
    async def main() -> None:
        limits = replace(LIMITS, queue_bytes=1, patience=50.0)
        process = Process(NakadiTwin(script=lambda _: Reply(delay=30.0)), limits=limits)
        assert number(await process.invoke(some_records(100, keys=100), 100.0)) == 64
        assert len(process.nakadi.stored) == 64

    run(main)


def test_a_record_without_a_number_is_named_none() -> None:
    async def main() -> None:
        process = Process(NakadiTwin(script=down))
        records = some_records(3, keys=3)
        records[0] = records[0].replace(b'"SequenceNumber"', b'"Number"')
        found = await process.invoke(records)
        assert found is not None
        assert (found.number, found.records) == (None, 3)

    run(main)
