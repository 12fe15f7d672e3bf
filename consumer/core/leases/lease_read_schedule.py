"""When the lease rows are read: on a change, while something is left to do, else once a minute.

Worker and stream rows are read at every scan. The lease rows of all shards cost more. They are read
when a `changes` counter has risen, when peers die or become eligible, when the last pass left
something to do (backing off to 20 s while passes change nothing), and otherwise every 60 s.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Hashable

    from consumer.core.limits import LeaseTiming

UNDISTURBED_SECONDS = 60.0
"""The longest time between two reads of the lease rows."""

LEFT_MAX_SECONDS = 20.0
"""The longest wait while something is left to do but passes change nothing."""

SPACING_SECONDS = 0.2
"""The shortest time between two passes: many changes at once make one pass. It is at least as long
as the last pass took, so passes over many leases never take more than half of the time. A pass that
found no lease, as at the first start, puts the next one off for nothing."""


class LeaseReadSchedule:
    """When the next pass is due; a pass reads the lease rows, plans and acts.

    `version` stands for all that matters in the worker and stream rows: another one makes a pass
    due.
    """

    def __init__(self, timing: LeaseTiming) -> None:
        self._scan = timing.scan
        self._version: Hashable = None  # of the last pass
        self._outcome: Hashable = None  # of the last pass
        self._asked = True  # something happened here since the last pass began
        self._wait = timing.scan
        self._begun_at = -inf
        self._due = -inf
        self._not_before = -inf

    def ask(self) -> None:
        """Make a pass due: something happened in this process."""
        self._asked = True

    def due_at(self, version: Hashable) -> float:
        """Return when the next pass is due; `version` is that of the latest read."""
        if self._asked or version != self._version:
            return self._not_before
        return max(self._due, self._not_before)

    def begin(self, now: float) -> None:
        """Note that a pass starts to read; what happens from now on asks for another one."""
        self._asked = False
        self._begun_at = now

    def failed(self, now: float) -> None:
        """Note that the rows could not be read: the pass is due again after a scan interval."""
        self._asked = True
        self._not_before = now + self._scan

    def passed(
        self, now: float, version: Hashable, outcome: Hashable, *, found: bool, left: bool
    ) -> None:
        """Note that a pass was made. If `outcome` equals the last one, it changed nothing.

        `found`: the pass read a lease row. `left`: it has left something to do.
        """
        same = outcome == self._outcome and version == self._version
        self._version, self._outcome = version, outcome
        self._not_before = now + (max(SPACING_SECONDS, now - self._begun_at) if found else 0.0)
        if left:
            self._wait = min(LEFT_MAX_SECONDS, self._wait * 2) if same else self._scan
            self._due = now + self._wait
        else:
            self._wait = self._scan
            self._due = now + UNDISTURBED_SECONDS
