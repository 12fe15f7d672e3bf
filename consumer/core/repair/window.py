"""Of which time an export is made, so that it names all keys that changed in a gap.

An export has the net change of each key in its window. Its beginning is bound to the gap's: what
was made before the gap and deleted in it is in the export only if the window begins after it was
made. Its end is not bound: a key too many is read and published as it is now, and does no harm.
"""

from __future__ import annotations

from itertools import pairwise
from math import ceil
from typing import Final

from msgspec import Struct

BEFORE_SECONDS: Final = 2
"""A window begins this long before the gap, and no earlier: creation times are cut to seconds."""

AFTER_SECONDS: Final = 5 * 60
"""A window ends this long after the gap: clocks differ, and a backup follows its table."""

LEAST_SECONDS: Final = 15 * 60
MOST_SECONDS: Final = 24 * 3600
"""The shortest and the longest window of an incremental export."""

KEPT_SECONDS: Final = 35 * 24 * 3600.0
"""The longest time for which point-in-time recovery keeps changes."""


class Window(Struct, frozen=True):
    """From `begin` to `end`, which is not in it, in whole epoch seconds."""

    begin: int
    end: int


class Restorable(Struct, frozen=True):
    """What point-in-time recovery can go back to, in epoch seconds."""

    earliest: float
    latest: float


class Reach(Struct, frozen=True):
    """The windows of a gap, oldest first; none if all of it is out of reach.

    What was changed before `lost_until` (epoch seconds) is out of reach; None if nothing is.
    """

    windows: tuple[Window, ...]
    lost_until: float | None = None

    @property
    def end(self) -> int:
        """The end of the last window, which recovery must have reached; 0 without any."""
        return max((window.end for window in self.windows), default=0)


def reach_of(since: float, until: float, restorable: Restorable) -> Reach:
    """Return the windows of what was changed from `since` to `until` (epoch seconds).

    The last one may end after `restorable.latest`, which follows the time of day: it can be
    exported a little later.
    """
    if until < restorable.earliest:
        return Reach((), until)
    begin = max(ceil(since - BEFORE_SECONDS), ceil(restorable.earliest))
    end = max(ceil(until) + AFTER_SECONDS, begin + LEAST_SECONDS)
    lost_until = restorable.earliest if since < restorable.earliest else None
    return Reach(_parts(begin, end), lost_until)


def _parts(begin: int, end: int) -> tuple[Window, ...]:
    """Return windows of about the same length, each no longer than an export may be."""
    count = ceil((end - begin) / MOST_SECONDS)
    places = [begin + (end - begin) * number // count for number in range(count + 1)]
    return tuple(Window(*pair) for pair in pairwise(places))
