"""The rows of new shards, created several at a time: a stream may have a thousand shards.

Rule: writes that are sent together begin right after the claim was looked at, as a single one does.
So no more are sent together than the lease table takes at once.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from consumer.errors import Retryable

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

    async def create(lease: Lease) -> bool | Retryable:
        try:
            return await store.create_lease(claim.row.key, lease)
        except Retryable as error:
            return error

    created = 0
    for start in range(0, len(leases), ROWS_AT_ONCE):
        await claim.ensure_held()
        some = leases[start : start + ROWS_AT_ONCE]
        async with asyncio.TaskGroup() as tasks:
            writes = [tasks.create_task(create(lease)) for lease in some]
        for answer in (write.result() for write in writes):
            if isinstance(answer, Retryable):
                raise answer
            created += answer
    return created
