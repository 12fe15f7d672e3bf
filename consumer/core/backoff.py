"""Full jitter: a random wait below a ceiling that doubles."""

from __future__ import annotations


def full_jitter(failures: int, first: float, longest: float, chance: float) -> float:
    """Seconds to wait after `failures` (≥ 1) failures in a row; `chance` in [0, 1)."""
    ceiling = min(longest, first * 2.0 ** min(max(failures - 1, 0), 16))
    return chance * ceiling
