"""Full jitter: a random wait below a ceiling that doubles with each failure in a row."""

from __future__ import annotations


def full_jitter(failures: int, first: float, longest: float, chance: float) -> float:
    """Return the seconds to wait after `failures` (≥ 1) failures in a row.

    `first` and `longest` are the ceilings of the first and the longest wait, in seconds; `chance`
    is in [0, 1).
    """
    ceiling = min(longest, first * 2.0 ** min(max(failures - 1, 0), 16))
    return chance * ceiling


class Backoff:
    """The waits of one loop that tries again. `failures` counts the failures in a row."""

    def __init__(self, first: float, longest: float) -> None:
        self._first = first
        self._longest = longest
        self.failures = 0

    def next(self, chance: float) -> float:
        """Count a failure; return the seconds to wait, as `full_jitter` does."""
        self.failures += 1
        return full_jitter(self.failures, self._first, self._longest, chance)

    def reset(self) -> None:
        """Begin again with the first wait, after a success."""
        self.failures = 0
