"""A key's queue as a list: append, unlink anywhere, sift."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pytest

from consumer.core.backlog.key_queue import KeyQueue
from consumer.core.backlog.queued_event import EventState
from tests.unit.core.events import Queued, event

if TYPE_CHECKING:
    from consumer.core.backlog.ticket import Ticket


def queue_of(*events: Queued) -> KeyQueue[Ticket]:
    queue: KeyQueue[Ticket] = KeyQueue("k")
    for each in events:
        queue.append(each)
    return queue


def content(queue: KeyQueue[Ticket]) -> list[Queued]:
    found, at = [], queue.first
    while at is not None:
        found.append(at)
        at = at.next_of_key
    assert queue.length == len(found)
    assert queue.last is (found[-1] if found else None)
    return found


@pytest.mark.parametrize("gone", range(3))
def test_an_event_leaves_from_anywhere(gone: int) -> None:
    events = [event(number) for number in range(3)]
    queue = queue_of(*events)
    queue.unlink(events[gone])
    assert events[gone].next_of_key is None
    del events[gone]
    assert content(queue) == events


def test_a_stranger_cannot_leave() -> None:
    queue = queue_of(event(1))
    with pytest.raises(ValueError, match="event 2 is not in its key's queue"):
        queue.unlink(event(2))
    assert len(content(queue)) == 1


@pytest.mark.parametrize(("flying", "kept"), [(0, [1, 4]), (1, [0, 1, 4]), (3, [0, 1, 2, 4])])
def test_revoked_events_are_sifted_out_unless_they_fly(flying: int, kept: list[int]) -> None:
    events = [event(number) for number in range(5)]
    queue = queue_of(*events)
    queue.in_flight = flying
    for number in (0, 2, 3):
        events[number].state = EventState.REVOKED
    gone = queue.sift()
    assert content(queue) == [events[number] for number in kept]
    assert gone == [each for number, each in enumerate(events) if number not in kept]
    assert content(queue_of()) == queue_of().sift() == []


def test_it_has_been_queued_since_its_head_was() -> None:
    first, second = event(1), event(2)
    first.queued_at, second.queued_at = 5.0, 6.0
    assert queue_of(first, second).queued_at == 5.0
    assert queue_of().queued_at == inf


def test_what_is_in_flight_is_at_the_head() -> None:
    events = [event(number) for number in range(3)]
    key_queue = queue_of(*events)
    assert list(key_queue.flying()) == []
    key_queue.in_flight = 2
    assert list(key_queue.flying()) == events[:2]
