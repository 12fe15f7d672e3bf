"""Which partition keys belong to a shard. The real service has this, too, but shows it nowhere."""

from dataclasses import dataclass
from typing import Final, Self

HASH_SPACE: Final = 1 << 128


@dataclass(frozen=True, slots=True)
class HashRange:
    """Hashes from `start` (inclusive) to `end` (exclusive)."""

    start: int
    end: int

    @classmethod
    def whole(cls) -> Self:
        """Return the range of all keys."""
        return cls(0, HASH_SPACE)

    def parts(self, count: int) -> tuple[Self, ...]:
        """Return `count` ranges of about the same width that make up this one."""
        width = self.end - self.start
        if not 1 <= count <= width:
            raise ValueError(f"a range of {width} hashes has no {count} parts")
        edges = [self.start + width * part // count for part in range(count + 1)]
        return tuple(map(type(self), edges, edges[1:]))
