"""The slots that event types share: what one always has, what all have, and whose turn it is."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.core.publishing.slots import TOGETHER, Slots

NAMES = [f"type-{number}" for number in range(60)]


def take_all(slots: Slots, name: str, most: int) -> int:
    """Take what one event type may have; return how many it has then."""
    taken = 0
    while taken < most and slots.take(name):
        taken += 1
    slots.call_off(name)
    return taken


@pytest.mark.parametrize("count", range(1, TOGETHER + 1))
def test_up_to_four_event_types_share_nothing(count: int) -> None:
    slots = Slots(count, 8)
    assert [take_all(slots, name, 8) for name in NAMES[:count]] == [8] * count


def test_more_than_four_have_four_times_as_many_together() -> None:
    slots = Slots(10, 8)
    used = [take_all(slots, name, 8) for name in NAMES[:10]]
    assert sum(used) == TOGETHER * 8
    assert min(used) == 1  # its own, though the first ones took all that is shared


@pytest.mark.parametrize("most", [1, 2, 8])
@pytest.mark.parametrize("count", [1, 5, 30, 50])
def test_each_has_one_of_its_own_and_a_single_busy_one_all(count: int, most: int) -> None:
    slots = Slots(count, most)
    used = [take_all(slots, name, most) for name in NAMES[:count]]
    assert used[0] == most
    assert all(used)
    assert sum(used) <= max(TOGETHER * most, count + most - 1)


def test_the_one_with_fewer_in_flight_is_first_and_then_the_one_that_waits_longer() -> None:
    slots = Slots(5, 2)  # three shared ones
    a, b, c, d, e = NAMES[:5]
    for name in (a, a, b, b, c, c, d, e):
        assert slots.take(name)
    assert not slots.take(a)  # has two, waits first
    assert not slots.take(e)
    assert not slots.take(d)
    assert slots.next() == []
    slots.give_back(b)
    assert slots.next() == [e]
    assert not slots.take(b)  # it has just given one back
    assert not slots.take(d)
    assert slots.take(e)
    assert slots.next() == []


def test_who_calls_off_leaves_the_turn_to_the_next() -> None:
    slots = Slots(5, 2)
    a, b, c, d, e = NAMES[:5]
    for name in (a, a, b, b, c, c, d, e):
        assert slots.take(name)
    assert not slots.take(d)
    assert not slots.take(e)
    slots.give_back(a)
    assert slots.next() == [d]
    assert slots.call_off(d)
    assert not slots.call_off(d)
    assert slots.next() == [e]
    assert slots.take(e)


def test_one_that_backs_off_takes_no_shared_slot() -> None:
    """It has one request in flight, as a probe."""
    slots = Slots(9, 2)  # one shared
    assert all(slots.take(name) for name in NAMES[:8])
    assert take_all(slots, NAMES[8], 2) == 2


Steps = st.lists(st.tuples(st.sampled_from(NAMES[:7]), st.sampled_from(["take", "end", "off"])))


@given(Steps, st.integers(1, 3))
@example([(name, "take") for name in NAMES[:3] for _ in range(2)], 2)  # two wait for one
def test_whatever_happens_the_bounds_hold_and_nobody_starves(
    steps: list[tuple[str, str]], most: int
) -> None:
    slots, names = Slots(7, most), NAMES[:7]
    model: Counter[str] = Counter()
    for name, step in steps:
        if step == "take" and model[name] < most:
            taken = slots.take(name)
            assert taken or model[name]  # one is always its own
            model[name] += taken
        elif step == "end" and model[name]:
            slots.give_back(name)
            model[name] -= 1
        elif step == "off":
            slots.call_off(name)
        assert model.total() <= max(TOGETHER * most, 7 + most - 1)
    for name, used in model.items():
        for _ in range(used):
            slots.give_back(name)
    held: Counter[str] = Counter()
    for _ in range(2 * len(names)):  # all has ended: whoever waits is served, and ends in turn
        for name in slots.next():
            assert slots.take(name)
            held[name] += 1
            if held[name] == 2:  # its own, and the shared one for which it has waited
                slots.give_back(name)
                slots.give_back(name)
                held[name] = 0
    assert not any(slots.call_off(name) for name in names)
