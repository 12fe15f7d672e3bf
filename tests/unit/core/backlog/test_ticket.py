"""A ticket is settled when all of its events are, and revoked as a whole."""

import pytest

from consumer.core.backlog.queued_event import EventState, QueuedEvent
from consumer.core.backlog.ticket import Ticket, TicketState, is_ours
from consumer.core.event.event import Event
from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming
from tests.unit.core.events import event, ticket, watermark


def ticket_of(*states: EventState) -> Ticket:
    """A ticket with an event in each of these states."""
    made = Ticket(5, 12.0, watermark().tenure)
    content = Event(5, "k", "eid", b"x", 12.0)
    made.carry(
        tuple(
            QueuedEvent(made, content, f"type-{n}", "k", 12.0, state=state)
            for n, state in enumerate(states)
        )
    )
    return made


QUEUED, FLYING, SETTLED, REVOKED = EventState


def test_a_ticket_begins_open_and_stands_for_itself() -> None:
    made = ticket(5, created_at=12.0)
    assert made.state is TicketState.OPEN
    assert (made.through, made.through_at, made.records) == (5, 12.0, 1)
    assert not made.published
    assert len(made.events) == 1


def test_it_lets_go_of_an_event_that_is_settled() -> None:
    made = ticket_of(FLYING, QUEUED, FLYING)
    first, second, third = made.events
    made.settle(third)
    assert made.events == (first, second)
    assert made.published


@pytest.mark.parametrize(
    ("states", "untouched"),
    [
        ((QUEUED, QUEUED), True),
        ((QUEUED, FLYING), False),
        ((FLYING, QUEUED), False),
    ],
)
def test_it_is_untouched_while_nothing_of_it_was_sent(
    states: tuple[EventState, ...], untouched: bool
) -> None:
    assert ticket_of(*states).untouched is untouched


def test_it_is_not_untouched_once_an_event_of_it_is_settled() -> None:
    made = ticket_of(SETTLED, QUEUED)
    made.settle(made.events[0])
    assert not made.untouched


def test_it_is_revoked_as_a_whole_but_for_what_is_settled() -> None:
    made = ticket_of(QUEUED, FLYING, SETTLED)
    queued, flying, settled = made.events
    made.settle(settled)
    made.revoke()
    assert made.state is TicketState.REVOKED
    assert [each.state for each in (queued, flying, settled)] == [REVOKED, REVOKED, SETTLED]


def test_it_retries_when_one_of_its_events_was_sent_twice() -> None:
    made = ticket_of(QUEUED, QUEUED)
    made.events[1].attempts = 1
    assert not made.retrying
    made.events[1].attempts = 2
    assert made.retrying


def test_an_event_is_ours_while_its_tenure_and_the_fence_last() -> None:
    fence = Fence(LeaseTiming(lease_duration=10.0, margin=2.0))
    while fence.epoch < 7:
        fence.beat(100.0 * fence.epoch, 100.0 * fence.epoch)
    one = event(1)  # of epoch 7
    assert one.of.tenure.epoch == 7
    assert is_ours(one, fence, 607.9)
    assert not is_ours(one, fence, 608.0)
    fence.beat(700.0, 700.0)
    assert not is_ours(one, fence, 700.0)  # of the epoch before
    one.state = EventState.REVOKED
    assert not is_ours(one, fence, 607.9)


def test_two_tickets_of_equal_content_are_two() -> None:
    shard = watermark()
    one, other = ticket(5, shard=shard), ticket(5, shard=shard)
    assert one != other
    assert len({one, other}) == 2


def test_events_of_a_ticket_are_settled_one_after_the_other() -> None:
    made = ticket_of(QUEUED, FLYING)
    first, second = made.events
    made.settle(first)
    assert made.events == (second,)
    assert made.published
    made.settle(second)
    assert not made.events
