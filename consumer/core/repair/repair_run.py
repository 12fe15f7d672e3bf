"""How far a repair has come, so that a later run goes on from there."""

from __future__ import annotations

from msgspec import Struct, field


class RepairCounts(Struct, frozen=True):
    """Keys of a repair that were settled: `gone` had no item, `untaken` no route that takes them.

    `refused` were refused by Nakadi or changed with every read.
    """

    keys: int = 0
    gone: int = 0
    untaken: int = 0
    refused: int = 0


class RepairRun(Struct, frozen=True):
    """The repair of what was changed from `begin` to `end` (whole epoch seconds).

    `routes` are the event types that take part. `settled` is the last key that is settled, in the
    one spelling and order of keys; `done_at` (epoch seconds) is set when all are.
    """

    table: str
    begin: int
    end: int
    routes: tuple[str, ...]
    started_at: float
    settled: str | None = None
    counts: RepairCounts = field(default_factory=RepairCounts)
    done_at: float | None = None

    @property
    def run_id(self) -> str:
        """The id that its events carry: the same for each run over the same time."""
        return f"repair-{self.begin}-{self.end}"
