"""The slots that the event types of a worker share, for requests in lanes and for all others.

Ownership: one object for all dispatchers of a worker. Every method is a plain call. A dispatcher
that gives back a slot, or wants none any more, notifies those that would be given one now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.publishing.lanes import LANE_SLOTS
from consumer.core.publishing.slots import Slots

if TYPE_CHECKING:
    from collections.abc import Mapping

    from consumer.runtime.signal import Signal


class SharedSlots:
    """`changed` are the signals of the dispatchers, by event type.

    `concurrency` is how many requests one event type may have in flight, beside those in lanes.
    """

    def __init__(self, concurrency: int, changed: Mapping[str, Signal]) -> None:
        self._changed = changed
        self._open = Slots(len(changed), concurrency)
        self._lanes = Slots(len(changed), LANE_SLOTS)

    def take(self, name: str, *, in_lane: bool) -> bool:
        """Take a slot for a request of an event type. If there is none, it waits for one."""
        slots = self._of(in_lane=in_lane)
        if slots.take(name):
            return True
        self._notify(slots)  # others may be before it
        return False

    def give_back(self, name: str, *, in_lane: bool) -> None:
        """Give back a slot: the request has ended, or there was nothing to send."""
        slots = self._of(in_lane=in_lane)
        slots.give_back(name)
        self._notify(slots)

    def call_off(self, name: str, *, in_lane: bool) -> None:
        """Wait for no slot: the event type has no such request to send now, or may not send it."""
        slots = self._of(in_lane=in_lane)
        if slots.call_off(name):
            self._notify(slots)

    def _of(self, *, in_lane: bool) -> Slots:
        return self._lanes if in_lane else self._open

    def _notify(self, slots: Slots) -> None:
        for name in slots.next():
            self._changed[name].notify()
