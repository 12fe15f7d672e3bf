"""What the log says of held shards: pauses and waits that last, silent and failed shards."""

from structlog.testing import capture_logs

from consumer.core.lasting import NAMED, REMIND_SECONDS
from consumer.core.shard.shard_state import Outcome, ShardState
from consumer.core.shard.shard_view import ShardView
from consumer.observability.conditions import Conditions
from consumer.runtime.leases.shard_log import WAIT_SECONDS, ShardLog

SCAN = 2.0
KEY = ("orders/1", "s0")


class Bench:
    def __init__(self) -> None:
        self.seconds = 0.0
        self.log = ShardLog(Conditions(lambda: self.seconds))

    def look(
        self, cause: str | None, seconds: float, shards: int = 1, *, held: bool = True
    ) -> None:
        state = {None: ShardState.READING, "paused": ShardState.PAUSED}
        until = self.seconds + seconds
        while self.seconds < until:
            for number in range(shards):
                shown = state.get(cause, ShardState.SUSPENDED)
                self.log.look(
                    ShardView("orders/1", f"s{number}", shown, held, "1", 0.0, 0.0,
                              suspended_cause=cause)
                )  # fmt: skip
            self.seconds += SCAN


def test_a_pause_is_said_at_once_and_until_it_ends() -> None:
    bench = Bench()
    with capture_logs() as logs:
        bench.look("paused", 2 * REMIND_SECONDS)
        bench.look(None, 10.0)
    assert [log["event"] for log in logs] == ["shard_paused", "shard_paused", "condition_over"]
    assert [log.get("lasts_seconds") for log in logs] == [None, REMIND_SECONDS, 2 * REMIND_SECONDS]
    assert "consumer resume" in logs[0]["action"]


def test_a_thousand_paused_shards_are_a_few_lines() -> None:
    bench = Bench()
    with capture_logs() as logs:
        bench.look("paused", REMIND_SECONDS + SCAN, shards=1000)
    assert len(logs) == 2 * NAMED
    assert logs[-1]["count"] == 1000


def test_only_a_wait_that_lasts_is_said_and_each_cause_apart() -> None:
    bench = Bench()
    with capture_logs() as logs:
        for _ in range(5):
            bench.look("budget", WAIT_SECONDS - SCAN)
            bench.look(None, SCAN)
        assert logs == []
        bench.look("budget", WAIT_SECONDS + SCAN)
        bench.look("hot_key", WAIT_SECONDS + SCAN)
        bench.look("hot_key", SCAN, held=False)
    told = [(log["event"], log["waits_for"]) for log in logs]
    assert told == [
        ("shard_waits", "budget"), ("condition_over", "budget"),
        ("shard_waits", "hot_key"), ("condition_over", "hot_key"),
    ]  # fmt: skip


def test_a_shard_that_leaves_waits_no_longer() -> None:
    bench = Bench()
    with capture_logs() as logs:
        bench.look("paused", SCAN)
        bench.log.left(KEY, Outcome.RELEASED)
    assert [(log["event"], log["log_level"]) for log in logs] == [
        ("shard_paused", "warning"), ("condition_over", "info"), ("shard_left", "info"),
    ]  # fmt: skip


def test_trouble_of_a_shard_is_over_when_it_is_read_again() -> None:
    bench = Bench()
    with capture_logs() as logs:
        for outcome in (Outcome.FAILED, Outcome.LOST):
            bench.log.silent(KEY)
            bench.log.left(KEY, outcome)
            bench.seconds += SCAN
        bench.log.recovered(KEY)
    assert [log["event"] for log in logs] == [
        "shard_silent", "shard_left", "shard_left", "condition_over",
    ]  # fmt: skip
    assert all(log["action"] for log in logs[:3])
