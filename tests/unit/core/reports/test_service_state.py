"""A snapshot begins where the service reads the stream, and says how far behind it is."""

from msgspec.structs import replace

from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Lease, StreamRow, Worker
from consumer.core.reports.lease_report import LeaseLine
from consumer.core.reports.service_state import age_of, beating, hindrances

KEY = "orders/2026-11-01T09:30:00.000"
STREAM = StreamRow(
    arn="arn",
    table="orders",
    label="2026-11-01T09:30:00.000",
    after=None,
    start_position="TRIM_HORIZON",
    started_at=None,
    bootstrapped=True,
    sweep_n=1,
    sweep_done=1,
    changes=1,
    fingerprint="f",
)
WORKER = Worker("w-1", 7, 0, (KEY,), True, False, 1.5, 1.5, "host", "1.2")
LEASE = Lease("shard-1", None)


def told(
    stream: StreamRow | None = STREAM,
    leases: tuple[Lease, ...] = (LEASE,),
    commands: tuple[Command, ...] = (),
    *,
    alive: bool = True,
) -> list[str]:
    return hindrances(stream, leases, commands, alive=alive, wall=2.5)


def test_a_service_that_reads_has_no_hindrance() -> None:
    assert told() == []


def test_each_hindrance_is_told() -> None:
    assert told(None) == ["the application has not begun with the table's latest stream"]
    assert told(replace(STREAM, bootstrapped=False), alive=False) == [
        "its shards are not known yet: the stream has no start",
        "no worker of it is alive",
    ]


def test_a_pause_counts_before_the_owner_has_obeyed_it() -> None:
    paused = replace(LEASE, paused=True)
    done = replace(paused, shard_id="shard-2", checkpoint=SHARD_END)
    assert told(leases=(paused, done, LEASE)) == [
        "1 shards are paused, or will be (consumer resume)"
    ]
    pause = Command(1, Action.PAUSE, None, None, 1.5, "me", "t")
    asked = replace(STREAM, commands=1)
    assert told(asked, commands=(pause,)) == ["1 shards are paused, or will be (consumer resume)"]
    obeyed = replace(LEASE, command_counter=2)
    resume = Command(2, Action.RESUME, None, None, 1.5, "me", "t")
    again = replace(STREAM, commands=2)
    assert told(again, commands=(pause, resume)) == []
    assert told(again, leases=(obeyed,), commands=(pause, resume)) == []


def test_a_lease_that_cannot_be_read_says_nothing_of_a_pause() -> None:
    assert told(leases=(replace(LEASE, paused=True, unreadable="checkpoint"),)) == []


def test_a_worker_lives_if_its_heartbeat_rises() -> None:
    assert beating([WORKER], [replace(WORKER, heartbeat=8)], KEY)
    assert not beating([WORKER], [WORKER], KEY)
    assert not beating([WORKER], [replace(WORKER, heartbeat=8, streams=("other/l",))], KEY)
    assert not beating([], [WORKER], KEY)  # it may be a row that is left over
    assert not beating([WORKER], [], KEY)


def test_the_age_is_that_of_the_shard_that_is_most_behind() -> None:
    def line(age: float | None) -> LeaseLine:
        return LeaseLine("s", None, None, "held", "1", age)

    assert age_of([]) is None
    assert age_of([line(None)]) is None
    assert age_of([line(3.0), line(700.5), line(None)]) == 700.5
