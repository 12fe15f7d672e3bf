"""Halves: what is sent in place of a batch that was refused or failed as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.backlog.queued_event import Of_co, QueuedEvent


def halved(events: int) -> int:
    """Return the most events of a request after one with `events` has failed: at least one."""
    return max(1, events // 2)


def halves(part: list[QueuedEvent[Of_co]]) -> list[list[QueuedEvent[Of_co]]]:
    """Return two halves, cut between two keys if there are two."""
    middle = len(part) // 2
    cut = middle
    while cut < len(part) and part[cut].key == part[cut - 1].key:
        cut += 1
    if cut == len(part):
        cut = middle
        while cut > 0 and part[cut].key == part[cut - 1].key:
            cut -= 1
    if cut == 0:
        cut = middle
    return [part[:cut], part[cut:]]
