"""A chain keeps the order of its events, and lets go of those that leave it."""

import pytest

from consumer.core.backlog.event_chain import EventChain
from tests.unit.core.events import Queued, event


def of(count: int) -> tuple[EventChain, list[Queued]]:
    chain, events = EventChain(), [event(number) for number in range(count)]
    for each in events:
        chain.append(each)
    return chain, events


def listed(chain: EventChain) -> list[Queued]:
    found, there = [], chain.first
    while there is not None:
        found.append(there)
        assert there.after is None or there.after.before is there
        there = there.after
    assert [*chain] == found
    assert chain.last is (found[-1] if found else None)
    return found


def test_an_empty_chain_has_no_first() -> None:
    assert listed(EventChain()) == []


def test_events_stand_in_the_order_of_their_records() -> None:
    chain, events = of(3)
    assert listed(chain) == events


@pytest.mark.parametrize("leaving", [0, 1, 2])
def test_any_event_may_leave(leaving: int) -> None:
    chain, events = of(3)
    gone = events.pop(leaving)
    chain.remove(gone)
    assert listed(chain) == events
    assert (gone.before, gone.after) == (None, None)


def test_the_last_one_leaves_an_empty_chain() -> None:
    chain, (only,) = of(1)
    chain.remove(only)
    assert (chain.first, chain.last) == (None, None)
