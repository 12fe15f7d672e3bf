from consumer.core.backlog.ticket import TICKET_BYTES, TicketState, bytes_of, cost_of
from consumer.core.event.event import Unbuildable
from tests.unit.core.tickets import doomed, ticket, watermark


def test_a_ticket_begins_queued_and_stands_for_itself() -> None:
    made = ticket(5, created_at=12.0)
    assert made.state is TicketState.QUEUED
    assert (made.through, made.through_at, made.records) == (5, 12.0, 1)
    assert (made.attempts, made.refused, made.failed) == (0, 0, 0)
    assert (made.first_attempt, made.last_attempt) == (None, None)


def test_the_body_is_the_events() -> None:
    assert ticket(5, size=3).body == b"xxx"


def test_what_cannot_be_built_has_no_body() -> None:
    made = doomed(5)
    assert made.body is None
    too_large = Unbuildable(5, "k", "eid", 1.0, "too_large", "", b"{}", b"event")
    assert cost_of(too_large) == len(b"{}") + len(b"event") + TICKET_BYTES


def test_a_ticket_costs_its_bytes_and_its_place() -> None:
    assert cost_of(ticket(5, size=100).content) == 100 + TICKET_BYTES
    assert cost_of(doomed(5).content) == len(b"{}") + TICKET_BYTES


def test_two_tickets_of_equal_content_are_two() -> None:
    shard = watermark()
    one, other = ticket(5, shard=shard), ticket(5, shard=shard)
    assert one != other
    assert len({one, other}) == 2


def test_bytes_of_tickets_are_those_of_their_events_only() -> None:
    assert bytes_of([]) == 0
    assert bytes_of([ticket(5, size=3), doomed(6), ticket(7, size=4)]) == 7
