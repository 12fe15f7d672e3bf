"""Who did what when: the one log of a run. Its digest is what two runs of a seed must share."""

from dataclasses import dataclass, field
from hashlib import blake2b

Line = tuple[float, str, str, str, str]  # time, who, what, shard, detail


@dataclass
class Trace:
    """`keep` holds the lines for people; without it only the digest is kept."""

    keep: bool = False
    lines: list[Line] = field(default_factory=list)
    count: int = 0

    def __post_init__(self) -> None:
        self._digest = blake2b(digest_size=16)

    def add(self, at: float, who: str, what: str, shard: str = "", detail: str = "") -> None:
        self.count += 1
        self._digest.update(f"{at!r}|{who}|{what}|{shard}|{detail}\n".encode())
        if self.keep:
            self.lines.append((at, who, what, shard, detail))

    @property
    def digest(self) -> str:
        return self._digest.hexdigest()

    def show(self, shard: str | None = None) -> str:
        """The lines as text; of one shard (and of no shard) if named."""
        return "\n".join(
            f"{at:10.3f} {who:<6} {what:<22} {of[-8:]:<8} {detail}"
            for at, who, what, of, detail in self.lines
            if shard is None or of in ("", shard)
        )
