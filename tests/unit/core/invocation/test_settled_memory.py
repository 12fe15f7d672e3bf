"""What a process remembers between invocations."""

from consumer.core.backlog.queued_event import UNTRIED, QueuedEvent, Tries
from consumer.core.event.event import Event
from consumer.core.invocation.settled_memory import SettledMemory


def event() -> QueuedEvent[None]:
    return QueuedEvent(None, Event(1, "k", "eid", b"{}", 0.0), "orders", "k", 0.0)


def test_what_is_settled_is_remembered_for_a_while() -> None:
    memory = SettledMemory(most=2, seconds=10)
    memory.settled(("a", "orders"), 0)
    assert memory.is_settled(("a", "orders"), 9.9)
    assert not memory.is_settled(("a", "orders"), 10)
    assert not memory.is_settled(("a", "audit"), 0)


def test_the_newest_are_remembered() -> None:
    memory = SettledMemory(most=2, seconds=10)
    for name in ("a", "b", "a", "c"):
        memory.settled((name, "orders"), 0)
    assert [memory.is_settled((name, "orders"), 1) for name in "abc"] == [True, False, True]


def test_tries_go_on_where_they_ended() -> None:
    memory, name = SettledMemory(most=2, seconds=10), ("a", "orders")
    tried = event()
    memory.tried(name, tried, 0)  # it was not sent
    again = event()
    memory.resume(name, again, 1)
    assert (again.attempts, again.tries) == (0, UNTRIED)
    tried.attempts, tried.tries, tried.company = 3, Tries(1, 2, 4.0), 8
    tried.postponed, tried.first_attempt = 5, 1.0
    memory.tried(name, tried, 0)
    memory.resume(name, again, 9)
    assert (again.attempts, again.tries, again.company) == (3, Tries(1, 2, 4.0), 8)
    assert (again.postponed, again.first_attempt) == (5, 1.0)


def test_what_was_postponed_and_never_sent_is_remembered() -> None:
    memory, name = SettledMemory(most=2, seconds=10), ("a", "orders")
    tried, again = event(), event()
    tried.postponed = 5
    memory.tried(name, tried, 0)
    memory.resume(name, again, 9)
    assert (again.attempts, again.postponed) == (0, 5)


def test_tries_are_forgotten_with_time_with_their_number_and_when_all_is_settled() -> None:
    memory = SettledMemory(most=2, seconds=10)
    tried = event()
    tried.attempts = 3
    for name in ("a", "b", "c"):
        memory.tried((name, "orders"), tried, 0)
    memory.settled(("b", "orders"), 1)
    found: list[int] = []
    for name, at in (("a", 1), ("b", 1), ("c", 10), ("c", 9)):
        again = event()
        memory.resume((name, "orders"), again, at)
        found.append(again.attempts)
    assert found == [0, 0, 0, 3]
