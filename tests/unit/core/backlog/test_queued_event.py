"""Queued events: what they cost, and what is sent of them."""

from consumer.core.backlog.queued_event import (
    EVENT_BYTES,
    UNTRIED,
    EventState,
    Tries,
    bytes_of,
    cost_of,
)
from consumer.core.event.event import Unbuildable
from tests.unit.core.events import event, unpublishable


def test_an_event_begins_queued_and_untried() -> None:
    made = event(5)
    assert made.state is EventState.QUEUED
    assert (made.attempts, made.tries, made.postponed) == (0, UNTRIED, 0)
    assert (made.first_attempt, made.last_attempt) == (None, None)
    assert Tries() == UNTRIED


def test_the_body_is_the_events() -> None:
    assert event(5, size=3).body == b"xxx"


def test_what_cannot_be_built_has_no_body() -> None:
    made = unpublishable(5)
    assert made.body is None
    too_large = Unbuildable(5, "k", "eid", "too_large", "", b"{}", b"event")
    assert cost_of(too_large) == len(b"{}") + len(b"event") + EVENT_BYTES


def test_an_event_costs_its_bytes_and_its_place() -> None:
    assert cost_of(event(5, size=100).content) == 100 + EVENT_BYTES
    assert cost_of(unpublishable(5).content) == len(b"{}") + EVENT_BYTES


def test_a_request_counts_bodies_only() -> None:
    assert bytes_of([event(1, size=3), event(2, size=40), unpublishable(3)]) == 43
    assert bytes_of([]) == 0


def test_two_events_of_equal_content_are_two() -> None:
    one, other = event(5), event(5)
    assert one != other
    assert len({one, other}) == 2
