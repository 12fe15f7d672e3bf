from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import Lease
from consumer.core.leases.lease_state import LeaseState
from consumer.core.leases.worker_report import WorkerReport
from consumer.core.reports.lease_view import LeaseView, view


def one(
    lease: Lease,
    *,
    held: bool = False,
    ready: bool = True,
    failing: bool = False,
    report: WorkerReport | None = None,
) -> LeaseView:
    (seen,) = view(
        "orders/1",
        [lease],
        held={"s"} if held else (),
        ready={"s"} if ready else (),
        dead={"gone"},
        beating={"you"},
        failing={"s"} if failing else (),
        settled_at={"gone": 50.0}.get,
        report_of={"you": report, "gone": report}.get,
    )
    return seen


def test_each_lease_has_one_state() -> None:
    assert one(Lease("s", None, checkpoint=SHARD_END)).state is LeaseState.FINISHED
    assert one(Lease("s", None, owner="me"), held=True).state is LeaseState.HELD
    assert one(Lease("s", None, owner="you")).state is LeaseState.FOREIGN
    assert one(Lease("s", None, owner="gone")).state is LeaseState.SILENT
    assert one(Lease("s", None)).state is LeaseState.FREE
    assert one(Lease("s", "p"), ready=False).state is LeaseState.WAITING


def test_an_unread_shard_ages_from_the_latest_sign_that_it_was_read() -> None:
    assert one(Lease("s", None, created_at=10.0)).since == 10.0
    assert one(Lease("s", None, created_at=10.0, record_at=20.0)).since == 20.0
    assert one(Lease("s", None, record_at=20.0, released_at=30.0)).since == 20.0
    assert one(Lease("s", None, record_at=20.0, caught_up_at=40.0)).since == 40.0
    assert one(Lease("s", None, owner="gone", record_at=20.0)).since == 50.0


def test_an_owner_that_was_not_seen_to_move_may_be_dead_and_the_shard_unread() -> None:
    assert one(Lease("s", None, owner="stranger", record_at=20.0)).since == 20.0


def test_a_shard_that_waits_for_another_ages_too_for_that_one_may_show_nothing() -> None:
    assert one(Lease("s", "p", created_at=10.0), ready=False).since == 10.0


def test_only_unread_shards_have_that_age() -> None:
    assert one(Lease("s", None, owner="you", record_at=1.0)).since is None


def test_an_age_is_the_time_since_the_last_sign_and_never_negative() -> None:
    unread = one(Lease("s", None, created_at=10.0))
    assert unread.age(25.0) == 15.0
    assert unread.age(9.0) == 0.0
    assert one(Lease("s", None, owner="me"), held=True).age(25.0) is None


def test_a_row_that_cannot_be_read_ages_if_it_shows_a_time() -> None:
    damaged = Lease("s", None, owner="you", checkpoint="UNREADABLE", unreadable="checkpoint")
    assert one(damaged).state is LeaseState.UNREADABLE
    assert one(damaged).since is None
    assert one(replace(damaged, created_at=10.0)).since == 10.0


def test_a_shard_that_fails_is_not_shown_as_held() -> None:
    mine, yours = Lease("s", None, owner="me"), Lease("s", None, owner="you", record_at=20.0)
    assert one(mine, held=True, failing=True).state is LeaseState.FAILING
    assert one(mine, held=True, failing=True).since is None  # the shard's own age counts
    told = WorkerReport("failing", failing=("orders/1/s",))
    assert one(yours, report=told).state is LeaseState.FAILING
    assert one(yours, report=WorkerReport("failing", failing=("orders/2/s",))).state is (
        LeaseState.FOREIGN
    )
    # The word of a worker that is dead says nothing any more.
    assert one(Lease("s", None, owner="gone"), report=told).state is LeaseState.SILENT
    # Only what this worker itself has seen fail counts here.
    assert one(mine, held=True, report=told).state is LeaseState.HELD


def test_the_age_of_a_peers_shard_is_that_of_the_rows() -> None:
    lease = Lease("s", None, owner="you", record_at=20.0)
    assert one(lease).told_age(100.0) == 80.0
    assert one(lease, report=WorkerReport("ok", settled_at=95.0)).told_age(100.0) == 5.0
    assert one(lease, report=WorkerReport("ok", settled_at=10.0)).told_age(100.0) == 80.0
    assert one(lease, report=WorkerReport("ok", settled_at=95.0)).age(100.0) is None
    assert one(Lease("s", None, owner="me"), held=True).told_age(100.0) is None
    assert one(Lease("s", None, created_at=40.0)).told_age(100.0) == 60.0
