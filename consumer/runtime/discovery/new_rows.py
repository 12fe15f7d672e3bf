"""The rows of new shards, created several at a time: a stream may have a thousand shards.

Rule: writes that are sent together begin right after the claim was looked at, as a single one does.
So no more are sent together than the lease table takes at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.leases.lease import Lease
    from consumer.ports import LeaseStore
    from consumer.runtime.discovery.sweep_claim import SweepClaim

ROWS_AT_ONCE = 10
"""Most rows that are created at the same time."""


async def create_rows(store: LeaseStore, claim: SweepClaim, leases: Sequence[Lease]) -> int:
    """Create the rows that are absent; return how many these were.

    Raise ClaimLost or Retryable, with no write under way any more.
    """
    created = 0
    for start in range(0, len(leases), ROWS_AT_ONCE):
        await claim.ensure_held()
        some = leases[start : start + ROWS_AT_ONCE]
        writes = (store.create_lease(claim.row.key, lease) for lease in some)
        for answer in await asyncio.gather(*writes, return_exceptions=True):
            if isinstance(answer, BaseException):
                raise answer
            created += answer
    return created
