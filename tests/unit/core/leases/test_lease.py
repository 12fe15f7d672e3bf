"""The rows' own few rules."""

import pytest
from msgspec.structs import replace

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON
from consumer.core.leases.lease import UNREAD_SECONDS, Gap, Lease, Pause, StreamRow, Worker
from consumer.core.leases.mark import Ahead, Mark
from consumer.core.leases.progress import Progress
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.stream.stream import Stream


def test_only_shard_end_is_the_end() -> None:
    assert Lease("s", None, checkpoint=SHARD_END).finished
    assert not Lease("s", None, checkpoint="5").finished


def test_a_row_says_of_which_stream_it_is() -> None:
    row = StreamRow("arn", "orders", "label", None, "TRIM_HORIZON", None, True, 1, 1, 0, "f")
    assert row.stream == Stream("arn", "orders", "label")


def test_a_stream_rows_key_names_table_and_label() -> None:
    row = StreamRow("arn", "orders", "2026", None, TRIM_HORIZON, None, True, 0, 0, 0, "f")
    assert row.key == "orders/2026"


def test_the_progress_of_a_row_is_its_checkpoint_and_its_two_times() -> None:
    lease = Lease("s", None, checkpoint="5", created_at=1.0, record_at=20.0, caught_up_at=30.0)
    assert lease.progress == Progress("5", 20.0, 30.0)


def test_the_last_sign_of_reading_is_the_latest_time_read_up_to_or_the_creation() -> None:
    lease = Lease("s", None, created_at=10.0, released_at=99.0)  # a release is no sign
    assert lease.last_sign == 10.0
    assert replace(lease, record_at=20.0).last_sign == 20.0
    assert replace(lease, record_at=20.0, caught_up_at=30.0).last_sign == 30.0
    assert replace(lease, record_at=5.0).last_sign == 5.0


def test_a_pause_is_told_with_its_reason_if_it_has_one() -> None:
    assert Pause("me@desk", 5.0).words == "by me@desk"
    assert Pause("me@desk", 5.0, "deploy").words == "by me@desk: deploy"


def test_a_worker_is_settled_up_to_what_its_row_says_or_its_last_sign_of_life() -> None:
    worker = Worker("w-1", 1, 1, (), True, False, 90.0, 10.0, "host", "0.1.0")
    assert worker.settled_at == 90.0
    assert replace(worker, report=WorkerReport("ok")).settled_at == 90.0
    stuck = replace(worker, report=WorkerReport("backing_off", settled_at=12.0))
    assert stuck.settled_at == 12.0


MARKED = Lease("s", None, checkpoint="5", command_counter=3, mark=Mark(Ahead(9, ("a",)), 3))


@pytest.mark.parametrize("checkpoint", ["5", "8", TRIM_HORIZON, LATEST])
def test_a_mark_says_what_is_ahead_of_the_checkpoint(checkpoint: str) -> None:
    lease = replace(MARKED, checkpoint=checkpoint)
    assert lease.ahead == Ahead(9, ("a",))
    assert lease.progress == Progress(checkpoint, ahead=Ahead(9, ("a",)))


@pytest.mark.parametrize(
    "changed",
    [
        {"mark": None},
        {"command_counter": 4},  # a worker that knows no marks has obeyed a command
        {"command_counter": 2},
        {"checkpoint": "9"},  # one of them has moved the checkpoint on
        {"checkpoint": "10"},
        {"checkpoint": SHARD_END},
    ],
)
def test_a_mark_that_does_not_fit_its_row_says_nothing(changed: dict[str, object]) -> None:
    assert replace(MARKED, **changed).ahead is None


def test_what_is_not_settled_is_younger_than_the_newest_settled_record() -> None:
    lease = Lease("s-1", None, checkpoint="400", created_at=5.0 + UNREAD_SECONDS)
    assert lease.unsettled_since(9.0) == 9.0
    assert lease.unsettled_since(None) == 5.0  # the stream had it before there was a row


def test_what_an_event_type_sent_back_lacks_may_be_as_old_as_the_shard() -> None:
    back = Lease("s-1", None, created_at=5.0 + UNREAD_SECONDS, mark=Mark(Ahead(600, ("audit",)), 0))
    assert back.unsettled_since(9.0) == 5.0
    assert replace(back, checkpoint="400").unsettled_since(9.0) == 9.0
    assert replace(back, mark=None).unsettled_since(9.0) == 9.0


def test_where_a_gap_does_not_say_it_the_time_it_was_found_counts() -> None:
    gap = Gap("s-1", "400", "500", "trimmed", 1e6)
    assert gap.changed_between == (1e6 - 26 * 3600, 1e6)
    assert replace(gap, from_time=3.0, to_time=4.0).changed_between == (3.0, 4.0)


def test_events_go_on_with_the_prefix_that_a_stream_has_if_it_has_one() -> None:
    row = StreamRow("arn", "orders", "2026", None, TRIM_HORIZON, None, True, 0, 0, 0, "f")
    assert row.may_say("b-")
    assert replace(row, stream_prefix="b-").may_say("b-")
    assert not replace(row, stream_prefix="").may_say("b-")
