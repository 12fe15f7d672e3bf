"""Two gaps that begin at the same place have one row."""

from __future__ import annotations

import pytest

from consumer.core.leases.checkpoint import TRIM_HORIZON
from consumer.core.leases.fence import Fence
from consumer.core.leases.lease import SEEK, Gap
from consumer.core.leases.mark import Ahead
from consumer.core.limits import LeaseTiming
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.shard.gaps import GapRecorder
from tests.twins.lease_table import LeaseTable, LeaseTableTwin
from tests.twins.virtual_time import HalfChance, VirtualClock, run

STREAM = "orders/2026"
FOUND = Ahead(1_400, ("audit",))
"""From the beginning to 1,400 records are read for `audit` only."""

SOUGHT = Gap("s-1", TRIM_HORIZON, None, SEEK, 10.0)
LOST = Gap("s-1", TRIM_HORIZON, None, "possibly_trimmed", 20.0, FOUND)


@pytest.mark.parametrize("first", [SOUGHT, LOST])
def test_its_end_is_behind_what_either_lacks(first: Gap) -> None:
    again = LOST if first is SOUGHT else SOUGHT
    table, clock = LeaseTable(), VirtualClock()

    async def main() -> None:
        fence = Fence(LeaseTiming())
        fence.deadline = clock.now() + 60.0
        instruments = Instruments(clock, HalfChance(), Metrics(), Conditions(clock.now))
        recorder = GapRecorder(LeaseTableTwin(table), fence, instruments, STREAM, fence.epoch)
        await recorder.record(first)
        await recorder.record(again)
        await recorder.close(1_000, 1.0, FOUND)
        assert recorder.open, "read for `audit` only: what the seek skips for others goes on"
        await recorder.close(1_500, 2.0, FOUND)
        assert not recorder.open

    run(main)
    (row,) = table.gaps[STREAM].values()
    assert (row.reason, row.to, row.to_time) == ("possibly_trimmed", "1500", 2.0)
    assert row.ahead is None
