"""Absence: what is said not to exist is gone only if that is said for a while.

One answer proves nothing. A request may have reached another Region's endpoint, or one that has
just started, and then every call says the same. Whoever takes a living shard for gone loses all
that is written to it from then on, so half a minute of doubt is cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Generic, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Hashable

GONE_SECONDS: Final = 30.0
"""It is gone once it was missing in all looks for so long."""

FEWEST_LOOKS: Final = 3
"""Fewest looks in that time."""

FORGET_SECONDS: Final = 120.0
"""Looks that are further apart than this do not belong together."""

K = TypeVar("K", bound="Hashable")


class _Looks(Struct):
    first_at: float
    last_at: float
    count: int = 0


class Absence(Generic[K]):
    """What was looked for in vain lately, and since when."""

    def __init__(self) -> None:
        self._looks: dict[K, _Looks] = {}

    def __len__(self) -> int:
        return len(self._looks)

    def found(self, key: K) -> None:
        """Note that it exists."""
        self._looks.pop(key, None)

    def missed(self, key: K, now: float) -> bool:
        """Note a look in vain; return whether it is gone, which then is said once."""
        for other in [each for each, looks in self._looks.items() if _is_old(looks, now)]:
            del self._looks[other]
        looks = self._looks.setdefault(key, _Looks(now, now))
        looks.last_at = now
        looks.count += 1
        gone = looks.count >= FEWEST_LOOKS and now - looks.first_at >= GONE_SECONDS
        if gone:
            del self._looks[key]
        return gone


def _is_old(looks: _Looks, now: float) -> bool:
    return now - looks.last_at > FORGET_SECONDS
