"""Signs of life: which partition has stored something, and since when."""

import pytest

from consumer.core.backlog.queued_event import QueuedEvent
from consumer.core.publishing import signs_of_life
from consumer.core.publishing.placement import Partitioning, Placement
from consumer.core.publishing.signs_of_life import NEVER, SignsOfLife
from tests.unit.core.events import Queued, event


class Placed(Placement):
    """The partition of an event is its key, unknown for `?`; what was asked is counted."""

    def __init__(self, *, steady: bool = True) -> None:
        super().__init__(Partitioning(steady=steady))
        self.asked = 0

    def of(self, event: QueuedEvent[object]) -> str | None:
        self.asked += 1
        return None if event.key == "?" else event.key


@pytest.fixture
def signs() -> SignsOfLife:
    return SignsOfLife(Placed())


def events(*keys: str) -> list[Queued]:
    return [event(number, key) for number, key in enumerate(keys)]


def test_nothing_is_known_at_first(signs: SignsOfLife) -> None:
    assert not signs.stored_since("a", 1.0)
    assert not signs.anything_stored_since(1.0)
    assert not signs.lives(event(1, "a"), 1.0)


def test_a_sign_is_of_what_was_sent_since(signs: SignsOfLife) -> None:
    signs.failed("a", 10.0)
    signs.stored(events("a"), 9.0, ())
    assert not signs.stored_since("a", 10.0)
    signs.stored(events("b", "a"), 10.0, ())
    assert signs.stored_since("a", 10.0)
    assert not signs.stored_since("a", 10.1)
    assert signs.lives(event(1, "a"), 10.0)
    assert not signs.lives(event(1, "b"), 10.0)  # nobody waited for it
    assert not signs.lives(event(1, "?"), 10.0)


def test_without_a_failure_before_there_is_no_since(signs: SignsOfLife) -> None:
    signs.stored_in("a", 10.0)
    assert not signs.stored_since("a", NEVER)
    assert not signs.anything_stored_since(NEVER)


def test_any_event_that_is_stored_is_a_sign_that_something_is(signs: SignsOfLife) -> None:
    signs.stored(events("a"), 10.0, ())
    assert signs.anything_stored_since(10.0)
    assert not signs.anything_stored_since(10.1)
    signs.stored_in("a", 5.0)
    assert signs.stored_at == 10.0


def test_a_sign_stays_until_a_later_one(signs: SignsOfLife) -> None:
    signs.failed("a", 10.0)
    signs.stored_in("a", 11.0)
    signs.failed("a", 12.0)
    assert signs.stored_since("a", 11.0)
    signs.stored_in("a", 11.5)  # sent before it failed again
    assert not signs.stored_since("a", 11.2)
    signs.stored_in("a", 13.0)
    assert signs.stored_since("a", 12.0)


def test_partitions_are_computed_only_while_a_sign_is_awaited() -> None:
    placed = Placed()
    signs = SignsOfLife(placed)
    signs.stored(events(*"abc"), 1.0, ())
    assert placed.asked == 0
    signs.failed("b", 2.0)
    signs.stored(events(*"abcabc"), 1.9, ())
    assert placed.asked == 0
    signs.stored(events(*"abcabc"), 3.0, ("b",))
    assert placed.asked == 0  # its events travel in its lane
    signs.stored(events(*"abcabc"), 3.0, ())
    assert placed.asked == 2
    signs.stored(events(*"abcabc"), 4.0, ())
    assert placed.asked == 2


def test_of_an_event_that_may_go_anywhere_all_partitions_are_its_own() -> None:
    signs = SignsOfLife(Placed(steady=False))
    signs.stored_in("b", 10.0)
    assert signs.lives(event(1, "?"), 10.0)
    assert not signs.lives(event(1, "?"), 10.1)


def test_it_is_bounded(signs: SignsOfLife, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signs_of_life, "PARTITIONS_MAX", 1)
    signs.failed("a", 10.0)
    signs.failed("b", 10.0)
    signs.failed("a", 11.0)
    signs.stored_in("a", 11.0)
    signs.stored_in("b", 11.0)
    signs.stored_in("a", 12.0)
    assert signs.stored_since("a", 12.0)
    assert not signs.stored_since("b", 10.0)
