from msgspec.structs import replace

from consumer.core.leases import lease_write
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.leases.lease_write import AlreadyWritten, Lost, Resend, resolve_conflict
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.leases.progress import Progress

FREE = Lease("s", None, counter=4, checkpoint="100", record_at=1.0, caught_up_at=2.0)
MINE = replace(FREE, owner="me", counter=5)


def test_a_take_raises_the_counter_and_keeps_the_checkpoint_of_the_table() -> None:
    write = lease_write.take(FREE, "me")
    assert write.expected == FREE
    assert write.keeps_checkpoint
    assert (write.row.owner, write.row.counter, write.row.owner_switches) == ("me", 5, 1)
    assert write.row.released_at is None


def test_taking_my_own_row_again_raises_the_counter_but_is_no_switch() -> None:
    write = lease_write.take(MINE, "me")
    assert (write.row.owner, write.row.counter, write.row.owner_switches) == ("me", 6, 0)


def test_a_checkpoint_keeps_owner_and_counter() -> None:
    write = lease_write.checkpoint(MINE, Progress("120", record_at=7.0))
    assert not write.keeps_checkpoint
    assert write.row == replace(MINE, checkpoint="120", record_at=7.0)


def test_a_release_is_a_checkpoint_and_the_end_of_ownership_in_one() -> None:
    write = lease_write.release(MINE, Progress(SHARD_END, caught_up_at=8.0), wall=9.0)
    assert write.row == replace(
        MINE, owner=None, counter=6, checkpoint=SHARD_END, caught_up_at=8.0, released_at=9.0
    )


def test_what_i_meant_to_write_was_mine() -> None:
    take = lease_write.take(FREE, "me")
    # Whatever the checkpoint is: reading starts from the one in the table.
    current = replace(take.row, checkpoint="105")
    assert resolve_conflict(take, "me", current) == AlreadyWritten(current)
    checkpoint = lease_write.checkpoint(MINE, Progress("120"))
    assert resolve_conflict(checkpoint, "me", checkpoint.row) == AlreadyWritten(checkpoint.row)
    release = lease_write.release(MINE, Progress("120"), wall=9.0)
    assert resolve_conflict(release, "me", release.row) == AlreadyWritten(release.row)


def test_my_owner_and_counter_with_another_checkpoint_is_adopted_and_repeated() -> None:
    write = lease_write.checkpoint(MINE, Progress("120"))
    current = replace(MINE, checkpoint="110")
    again = resolve_conflict(write, "me", current)
    assert isinstance(again, Resend)
    assert again.write.expected == current
    assert again.write.row == write.row


def test_anything_else_is_a_lost_lease() -> None:
    checkpoint = lease_write.checkpoint(MINE, Progress("120"))
    taken = replace(MINE, owner="you", counter=6, checkpoint="120")
    assert resolve_conflict(checkpoint, "me", taken) == Lost()
    assert resolve_conflict(checkpoint, "me", None) == Lost()
    # Mine once more, but in a later life of the lease.
    assert resolve_conflict(checkpoint, "me", replace(MINE, counter=7)) == Lost()
    take = lease_write.take(FREE, "me")
    assert resolve_conflict(take, "me", replace(FREE, owner="you", counter=5)) == Lost()


def test_a_release_whose_checkpoint_did_not_arrive_was_not_mine() -> None:
    release = lease_write.release(MINE, Progress("120"), wall=9.0)
    assert resolve_conflict(release, "me", replace(release.row, checkpoint="90")) == Lost()


def test_an_absent_row_is_a_lost_lease() -> None:
    write = lease_write.checkpoint(MINE, Progress("120"))
    assert resolve_conflict(write, "me", None) == Lost()


def test_applying_a_command_raises_the_counter() -> None:
    row = replace(MINE, command_counter=3, paused=True, checkpoint="7")
    write = lease_write.rewrite(MINE, row)
    assert (write.expected, write.keeps_checkpoint) == (MINE, False)
    assert write.row == replace(row, counter=MINE.counter + 1)


def test_a_row_that_cannot_be_read_is_lost_whoever_it_names() -> None:
    for write in (lease_write.take(FREE, "me"), lease_write.checkpoint(MINE, Progress("120"))):
        assert resolve_conflict(write, "me", replace(write.row, unreadable="createdAt")) == Lost()


def test_the_mark_is_written_with_the_counter_of_the_row_and_removed_without_one() -> None:
    lease = replace(MINE, command_counter=6)
    write = lease_write.checkpoint(lease, Progress("100", ahead=Ahead(120, ("a",))))
    assert write.row.mark == Mark(Ahead(120, ("a",)), 6)
    assert write.row.ahead == Ahead(120, ("a",))
    assert lease_write.checkpoint(write.row, Progress("121")).row.mark is None
    released = lease_write.release(write.row, Progress("110", ahead=Ahead(120, ("a",))), wall=9.0)
    assert released.row.ahead == Ahead(120, ("a",))


def test_a_take_keeps_the_mark() -> None:
    marked = replace(FREE, mark=Mark(Ahead(120, ("a",)), 0))
    assert lease_write.take(marked, "me").row.ahead == Ahead(120, ("a",))
