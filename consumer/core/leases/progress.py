"""Progress: how far a shard is settled, as one value.

Rule: it is taken at one moment, before any ticket is revoked, and written as a whole.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from consumer.core.leases.checkpoint import Checkpoint
    from consumer.core.leases.mark import Ahead


class Progress(Struct, frozen=True):
    """Everything up to `checkpoint` is settled. Times are epoch seconds.

    `record_at` is the creation time of the newest settled record, `caught_up_at` the last time a
    page reached the tip with everything settled; None if that is not known. `ahead` says what is
    settled beyond the checkpoint, None if nothing is that would be repeated without it.
    """

    checkpoint: Checkpoint
    record_at: float | None = None
    caught_up_at: float | None = None
    ahead: Ahead | None = None
