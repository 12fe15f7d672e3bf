"""How far a shard is settled, as one value."""

from consumer.core.leases import lease_write
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.leases.mark import Ahead
from consumer.core.leases.progress import Progress


def test_a_row_shows_the_progress_that_was_written() -> None:
    settled = Progress("120", record_at=7.0, caught_up_at=8.0)
    row = lease_write.checkpoint(Lease("s", None, owner="me"), settled).row
    assert row.progress == settled
    assert lease_write.release(row, row.progress, wall=9.0).row.progress == settled


def test_what_is_not_known_takes_nothing_from_the_row() -> None:
    row = Lease("s", None, owner="me", checkpoint="100", record_at=1.0, caught_up_at=2.0)
    released = lease_write.release(row, Progress(SHARD_END), wall=9.0).row
    assert released.progress == Progress(SHARD_END, record_at=1.0, caught_up_at=2.0)


def test_what_runs_ahead_is_part_of_it() -> None:
    settled = Progress("120", ahead=Ahead(140, ("audit",)))
    written = lease_write.checkpoint(Lease("s", None, owner="me"), settled).row
    assert written.progress == settled
