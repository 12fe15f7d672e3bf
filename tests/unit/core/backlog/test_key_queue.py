"""A key's lane as a list: append, unlink anywhere, sift."""

from __future__ import annotations

import pytest

from consumer.core.backlog.key_queue import KeyLane
from consumer.core.backlog.ticket import Ticket, TicketState
from tests.unit.core.tickets import ticket


def lane_of(*tickets: Ticket) -> KeyLane:
    lane = KeyLane("k")
    for each in tickets:
        lane.append(each)
    return lane


def content(lane: KeyLane) -> list[Ticket]:
    found, at = [], lane.first
    while at is not None:
        found.append(at)
        at = at.next_of_key
    assert lane.length == len(found)
    assert lane.last is (found[-1] if found else None)
    return found


@pytest.mark.parametrize("gone", range(3))
def test_a_ticket_leaves_from_anywhere(gone: int) -> None:
    tickets = [ticket(number) for number in range(3)]
    lane = lane_of(*tickets)
    lane.unlink(tickets[gone])
    assert tickets[gone].next_of_key is None
    del tickets[gone]
    assert content(lane) == tickets


def test_a_stranger_cannot_leave() -> None:
    lane = lane_of(ticket(1))
    with pytest.raises(ValueError, match="ticket 2 is not in its key's lane"):
        lane.unlink(ticket(2))
    assert len(content(lane)) == 1


@pytest.mark.parametrize(("flying", "kept"), [(0, [1, 4]), (1, [0, 1, 4]), (3, [0, 1, 2, 4])])
def test_revoked_tickets_are_sifted_out_unless_they_fly(flying: int, kept: list[int]) -> None:
    tickets = [ticket(number) for number in range(5)]
    lane = lane_of(*tickets)
    lane.in_flight = flying
    for number in (0, 2, 3):
        tickets[number].state = TicketState.REVOKED
    gone = lane.sift()
    assert content(lane) == [tickets[number] for number in kept]
    assert gone == [each for number, each in enumerate(tickets) if number not in kept]
    assert content(lane_of()) == lane_of().sift() == []
