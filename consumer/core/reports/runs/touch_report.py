"""What a run has touched so far: counts, and the exit code."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class TouchReport:
    """Counts of one run.

    `touched` items were written; `gone` keys had no item. `refusals` counts by reason the items
    that could not be written. `ended` says why the run ended early.
    """

    def __init__(self) -> None:
        self.touched = 0
        self.gone = 0
        self.refusals: Counter[str] = Counter()
        self.ended: str | None = None

    @property
    def done(self) -> int:
        """How many keys there is an answer for."""
        return self.touched + self.gone + self.refusals.total()

    @property
    def exit_code(self) -> int:
        """0 if nothing was refused and the run did not end early, else 1."""
        return int(self.ended is not None or bool(self.refusals))

    def lines(self) -> Iterator[str]:
        """Yield the lines of the summary."""
        yield f"{self.touched} items touched, {self.gone} keys without an item"
        for reason, count in sorted(self.refusals.items()):
            yield f"refused, {reason}: {count}"
        if self.ended is not None:
            yield f"ended early: {self.ended}"
