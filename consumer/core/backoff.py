"""Full jitter: a random wait below a ceiling that doubles with every failure."""

from __future__ import annotations


def full_jitter(failures: int, first: float, longest: float, chance: float) -> float:
    """Return the seconds to wait after `failures` (≥ 1) failures in a row.

    `first` is the ceiling after one failure, `longest` the highest ceiling; `chance` is a random
    number in [0, 1).
    """
    ceiling = min(longest, first * 2.0 ** min(max(failures - 1, 0), 16))
    return chance * ceiling
