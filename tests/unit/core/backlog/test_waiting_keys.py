"""Keys that wait: in the order of their times, and only as long as they do."""

from __future__ import annotations

from consumer.core.backlog.key_queue import KeyQueue, Place
from consumer.core.backlog.waiting_keys import WaitingKeys


def waiting(key: str, until: float) -> KeyQueue[object]:
    queue: KeyQueue[object] = KeyQueue(key)
    queue.place, queue.not_before = Place.WAITING, until
    return queue


def test_keys_come_back_at_their_time_and_those_of_one_time_in_their_order() -> None:
    keys: WaitingKeys[object] = WaitingKeys()
    for each in (waiting("late", 9.0), waiting("a", 5.0), waiting("b", 5.0)):
        keys.add(each)
    assert keys.next_at() == 5.0
    assert keys.pop(4.9) is None
    assert [queue.key for queue in (keys.pop(5.0), keys.pop(5.0)) if queue is not None] == [
        "a",
        "b",
    ]
    assert keys.pop(8.9) is None
    assert keys.next_at() == 9.0


def test_a_key_that_waits_no_longer_or_anew_has_no_old_entry() -> None:
    keys: WaitingKeys[object] = WaitingKeys()
    gone, again = waiting("gone", 1.0), waiting("again", 2.0)
    keys.add(gone)
    keys.add(again)
    gone.place = Place.IDLE
    again.not_before = 7.0
    keys.add(again)
    assert keys.next_at() == 7.0
    assert keys.pop(6.0) is None
    assert keys.pop(7.0) is again
    assert keys.next_at() is None
    assert keys.pop(9.0) is None
