"""What every Publisher does: the adapter on a local Nakadi, and both twins."""

from collections.abc import AsyncIterator, Sequence

import pytest

from consumer.core.publishing.answer import Answer, PublishingStatus
from tests.conformance.ports.publishers import Bus, Event, bus

SUBMITTED, FAILED, ABORTED = (
    PublishingStatus.SUBMITTED,
    PublishingStatus.FAILED,
    PublishingStatus.ABORTED,
)


@pytest.fixture(params=["twin", "simulation", "nakadi_server"])
async def on(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    async with bus(request) as found:
        yield found


async def publish(on: Bus, events: Sequence[Event]) -> Answer:
    return await on.port.publish([event.body for event in events])


def sequences(events: Sequence[Event]) -> list[int]:
    return [event.sequence for event in events]


def statuses(answer: Answer) -> list[tuple[PublishingStatus, str]]:
    assert answer.items is not None
    return [(item.status, item.step) for item in answer.items if item is not None]


def by_partition(on: Bus, down: str, events: Sequence[Event]) -> tuple[list[Event], list[Event]]:
    """Split events into those of a partition and the others."""
    failed = [event for event in events if on.partition(event.key) == down]
    return failed, [event for event in events if event not in failed]


async def test_all_is_stored_in_the_order_of_the_request(on: Bus) -> None:
    events = [on.event(key) for key in ("a", "b", "a", "c", "b", "a")]
    answer = await publish(on, events)
    assert (answer.status, answer.items, answer.reason) == (200, None, "http_200")
    assert answer.retry_after is None
    assert await on.stored(6) == sequences(events)


async def test_a_request_follows_the_one_that_was_answered(on: Bus) -> None:
    first, second = [on.event("a")], [on.event("a"), on.event("b")]
    for events in (first, second):
        assert (await publish(on, events)).status == 200
    assert await on.stored(3) == sequences([*first, *second])


@pytest.mark.parametrize("bad", [0, 1, 3])
async def test_an_invalid_event_is_named_and_nothing_is_stored(on: Bus, bad: int) -> None:
    events = [on.event(key, bad=index == bad) for index, key in enumerate("abcd")]
    answer = await publish(on, events)
    assert (answer.status, answer.reason) == (422, "http_422")
    assert statuses(answer) == [
        *[(ABORTED, "validating")] * bad,
        (FAILED, "validating"),
        *[(ABORTED, "none")] * (3 - bad),
    ]
    assert await on.stored(0) == []


async def test_an_invalid_event_alone_is_named(on: Bus) -> None:
    answer = await publish(on, [on.event("a", bad=True)])
    assert answer.status == 422
    assert statuses(answer) == [(FAILED, "validating")]


async def test_of_a_partition_that_is_down_each_event_fails_and_the_others_are_stored(
    on: Bus,
) -> None:
    events = [on.event(key) for key in ("a", "bb", "ccc", "a", "dddd", "bb")]
    down = on.partition("a")
    failed, stored = by_partition(on, down, events)
    assert failed
    assert stored
    on.loses_partition(down)
    answer = await publish(on, events)
    assert (answer.status, answer.reason) == (207, "http_207")
    assert statuses(answer) == [
        (FAILED if event in failed else SUBMITTED, "publishing") for event in events
    ]
    assert answer.items is not None
    assert [item and item.partition for item in answer.items] == [
        on.partition(e.key) for e in events
    ]
    assert sorted(await on.stored(len(stored))) == sequences(stored)


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 429, 500, 502, 503, 504])
async def test_an_error_is_an_answer_without_items(on: Bus, status: int) -> None:
    on.fails_with(status)
    answer = await publish(on, [on.event("a"), on.event("b")])
    assert (answer.status, answer.items, answer.reason) == (status, None, f"http_{status}")
    assert answer.retry_after is None
    assert await on.stored(0) == []


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after_is_in_seconds(on: Bus, status: int) -> None:
    on.fails_with(status, retry_after=7)
    answer = await publish(on, [on.event("a")])
    assert (answer.status, answer.retry_after) == (status, 7.0)
    assert await on.stored(0) == []


async def test_after_an_error_500_everything_may_be_stored(on: Bus) -> None:
    events = [on.event("a"), on.event("b")]
    on.breaks_after_storing()
    answer = await publish(on, events)
    assert (answer.status, answer.items, answer.reason) == (500, None, "http_500")
    assert await on.stored(2) == sequences(events)


@pytest.mark.parametrize("stores", [True, False])
async def test_a_broken_connection_is_status_0_whatever_is_stored(on: Bus, stores: bool) -> None:
    events = [on.event("a"), on.event("b")]
    on.resets(stores=stores)
    answer = await publish(on, events)
    assert (answer.status, answer.items, answer.retry_after) == (0, None, None)
    assert answer.reason == "reset"
    assert await on.stored(2 * stores) == (sequences(events) if stores else [])


async def test_a_late_answer_is_status_0_and_the_events_may_come(on: Bus) -> None:
    events = [on.event("a"), on.event("b")]
    on.is_late()
    answer = await publish(on, events)
    assert (answer.status, answer.items, answer.reason) == (0, None, "timeout")
    assert await on.stored(2) == sequences(events)
