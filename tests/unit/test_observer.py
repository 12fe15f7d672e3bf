"""What the gauges say about shards and leases, and what they stop saying."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from consumer.adapters.clock import AwsClock
from consumer.core.lasting import REMIND_SECONDS
from consumer.core.leases.lease_state import LeaseState
from consumer.core.reports.lease_view import LeaseView
from consumer.core.reports.readiness import FirstSteps
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import ShardView
from consumer.core.time_of_day import WRONG_SECONDS
from consumer.observability.metrics import Metrics
from consumer.observer import Observer
from consumer.settings.loading import load_settings
from tests.twins.virtual_time import EPOCH

NEW, OLD = "orders/2026-11-01", "orders/2026-10-01"
REQUIRED = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "https://nakadi.example",
    "CONSUMER_EVENT_TYPE": "order-store.order",
}


@dataclass
class Shard:
    shard_id: str
    seconds: float
    key: str = NEW
    held: bool = True

    def view(self) -> ShardView:
        since = Clock().wall() - self.seconds
        return ShardView(self.key, self.shard_id, ShardState.READING, self.held, "1", 0.0, since)


@dataclass
class Worker:
    """As much of a worker as the gauges look at."""

    shards: list[Shard] = field(default_factory=list)
    views: list[SimpleNamespace] = field(default_factory=list)
    observed: list[float] = field(default_factory=list)
    first_steps: FirstSteps = field(
        default_factory=lambda: FirstSteps(leases_read=True, listed=True)
    )

    def __post_init__(self) -> None:
        self.coordinator = self

    @property
    def publishing(self) -> SimpleNamespace:
        return SimpleNamespace(backlog=SimpleNamespace(observe=self.observed.append))

    def leases(self) -> list[SimpleNamespace]:
        return self.views


class Clock(AwsClock):
    """`seconds` is what `now` shows, `wrong` by how much the wall clock is ahead."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.wrong: float | None = None

    def now(self) -> float:
        return self.seconds

    def wall(self) -> float:
        return EPOCH + self.seconds

    @property
    def ahead(self) -> float | None:
        return self.wrong


class Watched:
    def __init__(self, **settings: str) -> None:
        self.clock = Clock()
        self.metrics = Metrics()
        self.worker = Worker()
        self.observer = Observer(
            "worker-1", load_settings(REQUIRED | settings), self.clock, self.metrics
        )
        worker: Any = self.worker
        page: Any = SimpleNamespace(stream=SimpleNamespace(key=NEW))
        self.observer.watch(worker, page)

    def lease(self, state: LeaseState, seconds: float | None = None, key: str = NEW) -> None:
        since = None if seconds is None else self.clock.wall() - seconds
        self.worker.views.append(LeaseView(key, SimpleNamespace(), state, since))  # type: ignore[arg-type]

    def series(self, name: str, label: str = "stream") -> dict[str, float]:
        """A gauge's values by label, after a scrape."""
        self.observer.scrape()
        families = self.metrics.registry.restricted_registry([f"consumer_{name}"]).collect()
        samples = [sample for family in families for sample in family.samples]
        return {sample.labels[label]: sample.value for sample in samples}


@pytest.mark.parametrize("limit", [0, 2])
def test_only_the_oldest_shards_are_named(limit: int) -> None:
    watched = Watched(CONSUMER_METRICS_SHARDS=str(limit))
    watched.worker.shards = [Shard("a", 3), Shard("b", 9), Shard("c", 6)]
    expected = {"b": 9.0, "c": 6.0} if limit else {}
    assert watched.series("shard_age_seconds", "shard") == expected


def test_a_shard_that_was_handed_over_is_not_named_any_more() -> None:
    watched = Watched()
    watched.worker.shards = [Shard("a", 3)]
    assert len(watched.series("shard_age_seconds")) == 1
    assert len(watched.series("checkpoint_age_seconds")) == 1
    watched.worker.shards[0].held = False
    assert watched.series("shard_age_seconds") == {}
    assert watched.series("checkpoint_age_seconds") == {}


def test_a_stream_that_is_forgotten_leaves_no_age_behind() -> None:
    watched = Watched()
    watched.lease(LeaseState.FREE, 70.0, OLD)
    watched.lease(LeaseState.FREE, 5.0, NEW)
    assert watched.series("iterator_age_seconds") == pytest.approx({OLD: 70.0, NEW: 5.0})
    headroom = watched.series("retention_headroom_seconds")
    assert headroom == pytest.approx({OLD: 86330.0, NEW: 86395.0})
    watched.worker.views = watched.worker.views[1:]
    assert watched.series("iterator_age_seconds") == pytest.approx({NEW: 5.0})
    assert set(watched.series("retention_headroom_seconds")) == {NEW}


def test_the_age_is_that_of_the_oldest_shard_held_or_unowned() -> None:
    watched = Watched()
    watched.worker.shards = [Shard("a", 3), Shard("b", 9)]
    watched.lease(LeaseState.HELD)
    assert watched.series("iterator_age_seconds") == {NEW: 9.0}
    watched.lease(LeaseState.FREE, 300.0)
    watched.lease(LeaseState.SILENT, 30.0)
    assert watched.series("iterator_age_seconds") == pytest.approx({NEW: 300.0})
    leases = watched.series("leases", "state")
    none = dict.fromkeys(("foreign", "failing", "waiting", "finished", "unreadable"), 0)
    assert leases == {"held": 1, "free": 2, **none}


def test_the_backlog_sets_its_gauges_at_each_scrape() -> None:
    watched = Watched()
    watched.observer.scrape()
    assert watched.worker.observed == [watched.clock.wall()]


@pytest.mark.parametrize("wrong", [602.0, -602.0])
def test_a_wrong_clock_is_warned_of_once_and_again_while_it_lasts(wrong: float) -> None:
    watched = Watched()
    told = []
    with capture_logs() as logs:
        for seconds, ahead in (
            (0.0, None),
            (1.0, WRONG_SECONDS),
            (2.0, wrong),
            (3.0, wrong),
            (REMIND_SECONDS + 2.0, wrong),
            (REMIND_SECONDS + 2.5, wrong),
            (REMIND_SECONDS + 3.0, 0.2),
            (REMIND_SECONDS + 4.0, 0.2),
        ):
            watched.clock.seconds, watched.clock.wrong = 1000.0 + seconds, ahead
            before = len(logs)
            watched.observer.scrape()
            told.append(len(logs) - before)
    assert told == [0, 0, 1, 0, 1, 0, 1, 0]
    *warnings, over = logs
    assert {(entry["event"], entry["seconds"]) for entry in warnings} == {("clock_wrong", wrong)}
    assert (over["event"], over["condition"]) == ("condition_over", "clock_wrong")
    assert watched.metrics.registry.get_sample_value("consumer_clock_ahead_seconds") == 0.2


def test_a_worker_that_has_not_read_the_leases_is_as_old_as_its_start() -> None:
    watched = Watched()
    watched.worker.first_steps = FirstSteps(leases_read=False, listed=False)
    watched.clock.seconds += 700.0
    assert watched.series("iterator_age_seconds") == pytest.approx({NEW: 700.0})
    watched.worker.first_steps = FirstSteps(leases_read=True, listed=False)
    assert watched.series("iterator_age_seconds") == {}
