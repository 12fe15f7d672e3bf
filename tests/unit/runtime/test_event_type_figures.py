"""What gauges, counters and `/status` say of each event type, of several beside each other."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from consumer.core.backlog.queue import ANYWHERE
from consumer.core.event.event import Event, EventFormat
from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming, PublishLimits
from consumer.core.reports.status import NOTHING_SENT
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.routes.unseen_paths import ENOUGH
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.backlog import RecordEvents
from consumer.runtime.publishing.publishing import Publishing
from tests.twins.line import Line, run_line
from tests.twins.nakadi import NakadiTwin, Reply
from tests.twins.set_clock import SetClock
from tests.twins.shard import ShardTwin
from tests.twins.virtual_time import HalfChance
from tests.unit.core.events import watermark

MANY = 1_000
ORDERS, PAYMENTS, UNTAKEN = "orders", "payments", "customers"
WALL = 2_000.0


@dataclass
class Beside:
    """Three event types; of each of five records orders take all, payments every other one."""

    def __post_init__(self) -> None:
        self.metrics = Metrics()
        clock = SetClock()
        names = {ORDERS: "", PAYMENTS: "public payments", UNTAKEN: UNTAKEN}
        routes = [
            Route(each, EventFormat(each, ("id",)), PublishLimits(), name=name)
            for each, name in names.items()
        ]
        self.publishing = Publishing(
            routes,
            {each: NakadiTwin() for each in names},
            None,
            1 << 30,
            Fence(LeaseTiming()),
            Instruments(clock, HalfChance(), self.metrics, Conditions(clock.now)),
            {},
        )
        self.backlog = self.publishing.backlog
        self.outlets = self.backlog.outlets
        shard = watermark()
        self.backlog.join(shard, lambda: None)
        records = [self._record(sequence) for sequence in range(1, 6)]
        self.backlog.add(shard, records, 0.0, dict.fromkeys(names, float("inf")))

    def _record(self, sequence: int) -> RecordEvents:
        created_at = 1_000.0 + 100 * sequence
        event = Event(sequence, str(sequence), "eid", b"x", created_at)
        outlets = [ORDERS, PAYMENTS] if sequence % 2 == 0 else [ORDERS]
        return RecordEvents(sequence, created_at, [(self.outlets[name], event) for name in outlets])

    def store(self, name: str, events: int) -> None:
        outlet = self.outlets[name]
        outlet.settle(outlet.queue.take(ANYWHERE, 0.0, events, MANY))

    def gauge(self, name: str, event_type: str, **labels: str) -> float | None:
        self.backlog.observe(WALL)
        labels["event_type"] = event_type
        return self.metrics.registry.get_sample_value(f"consumer_{name}", labels)


def test_each_event_type_counts_the_records_it_took() -> None:
    beside = Beside()
    taken = {name: beside.gauge("records_taken_total", name) for name in beside.outlets}
    assert taken == {ORDERS: 5, PAYMENTS: 2, UNTAKEN: 0}


def test_each_event_type_is_as_old_as_its_own_oldest_event() -> None:
    beside = Beside()
    ages = {name: beside.gauge("oldest_event_seconds", name) for name in beside.outlets}
    assert ages == {ORDERS: 900.0, PAYMENTS: 800.0, UNTAKEN: 0.0}
    beside.store(ORDERS, 4)
    assert beside.gauge("oldest_event_seconds", ORDERS) == 500.0
    assert beside.gauge("oldest_event_seconds", PAYMENTS) == 800.0
    beside.store(ORDERS, 1)
    assert beside.gauge("oldest_event_seconds", ORDERS) == 0.0


def test_the_gauges_of_one_event_type_are_not_those_of_another() -> None:
    beside = Beside()
    beside.outlets[PAYMENTS].event_type.stop("http_403")
    assert beside.gauge("queue_events", ORDERS) == 5
    assert beside.gauge("queue_events", PAYMENTS) == 2
    for name, stopped in ((ORDERS, 0), (PAYMENTS, 1), (UNTAKEN, 0)):
        assert beside.gauge("event_type_state", name, state="stopped") == stopped
        assert beside.gauge("event_type_state", name, state=NOTHING_SENT) == 1 - stopped
        assert beside.gauge("partition_lanes", name) == 0


def test_the_budget_is_that_of_all() -> None:
    beside = Beside()
    beside.backlog.observe(WALL)
    value = beside.metrics.registry.get_sample_value
    assert value("consumer_queue_limit_bytes") == 1 << 30
    assert value("consumer_queue_bytes") == beside.backlog.budget.used > 0


def test_the_status_names_what_each_took_and_what_waits() -> None:
    beside = Beside()
    beside.store(ORDERS, 1)
    shown = {name: outlet.status(WALL) for name, outlet in beside.outlets.items()}
    figures = {
        name: (each.route, each.records_taken, each.waiting_events, each.oldest_event_seconds)
        for name, each in shown.items()
    }
    assert figures == {
        ORDERS: (None, 5, 4, 800.0),
        PAYMENTS: ("public payments", 2, 2, 800.0),
        UNTAKEN: (None, 0, 0, None),
    }
    assert shown[UNTAKEN].state == NOTHING_SENT


@pytest.mark.parametrize("outages", [0, 3])
def test_requests_and_events_of_a_real_line_have_their_event_type(outages: int) -> None:
    nakadi = NakadiTwin()
    nakadi.replies.extend([Reply(503)] * outages)
    shard = ShardTwin(closed=True)
    shard.write_many(20, keys=20)

    async def main(line: Line) -> None:
        await line.run_consumer()

    line = run_line(main, shard=shard, nakadi=nakadi)
    assert line.counted("events_published_total") == 20
    assert line.counted("records_taken_total") == 20
    assert line.counted("publish_requests_total", outcome="http_503") == outages
    assert line.counted("publish_requests_total", outcome="http_200") > 0
    assert (line.counted("publish_retries_total", reason="http_503") > 0) is (outages > 0)
    assert line.counted("publish_in_flight") == 0


@pytest.mark.parametrize("pages", [ENOUGH - 1, ENOUGH])
def test_a_record_of_each_page_is_looked_at_for_the_paths_of_routes(pages: int) -> None:
    shard = ShardTwin(closed=True, page_records=2)
    shard.write_many(2 * pages, keys=4)
    asked = read_filter({"item": {"knid": {"S": [{"exists": False}]}, "id": {"S": ["k1", "k2"]}}})

    async def main(line: Line) -> None:
        await line.run_consumer()
        (shown,) = line.backlog.statuses(WALL)
        assert shown.unseen_paths == (("knid",) if pages == ENOUGH else ())
        line.backlog.observe(WALL)
        assert line.counted("unseen_paths") == len(shown.unseen_paths)

    run_line(main, shard=shard, asked=asked)
