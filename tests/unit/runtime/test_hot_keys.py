"""Hot keys: what is counted, what the log says of them, and when it says that they are over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from structlog.testing import capture_logs

from consumer.core.event.event import EventFormat
from consumer.core.leases.fence import Fence
from consumer.core.limits import LeaseTiming, PublishLimits
from consumer.core.routes.route import Route
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.runtime.instruments import Instruments
from consumer.runtime.publishing.backlog import Backlog
from consumer.runtime.publishing.dead_letters import DeadLetterSender
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.hot_keys import HOT_KEY_EVENTS, HOT_KEY_SECONDS, HotKeys
from consumer.runtime.publishing.outlet import Outlet
from consumer.runtime.publishing.stream_origin import StreamOrigin
from tests.twins.set_clock import SetClock
from tests.twins.virtual_time import HalfChance
from tests.unit.core.events import event

if TYPE_CHECKING:
    from consumer.core.backlog.ticket import Ticket
    from tests.unit.core.events import Queued

RUN = 2
LATE = HOT_KEY_SECONDS + 1


class Bench:
    """An outlet whose queue holds enough events of the keys `a` and `b`."""

    def __init__(self, *others: str) -> None:
        self.clock, self.metrics = SetClock(), Metrics()
        fence, backlog = Fence(LeaseTiming()), Backlog(1 << 30, self.metrics)
        conditions = Conditions(self.clock.now)
        instruments = Instruments(self.clock, HalfChance(), self.metrics, conditions)
        letters = DeadLetterSender(None, backlog, fence, instruments)
        origin = StreamOrigin(backlog, letters, fence, instruments)
        self.outlet: Outlet[Ticket]
        self.others: list[Outlet[Ticket]]
        self.outlet, *self.others = (
            Outlet(EventType(self._route(name), self.clock, HalfChance()), origin)
            for name in ("order", *others)
        )
        self.hot_keys = HotKeys(self.metrics, conditions)
        for key in "ab":
            for sequence in range(HOT_KEY_EVENTS * RUN):
                self.outlet.queue.push(event(sequence, key))

    def _route(self, name: str) -> Route:
        return Route(name, EventFormat(name, ("id",)), PublishLimits(key_run_events=RUN))

    def accept(self, *events: Queued, by: Outlet[Ticket] | None = None) -> list[dict[str, object]]:
        with capture_logs() as lines:
            self.hot_keys.look(events, by or self.outlet, self.clock.now())
        return [dict(line) for line in lines]

    @property
    def counted(self) -> float:
        labels = {"event_type": "order"}
        return self.metrics.registry.get_sample_value("consumer_hot_keys_total", labels) or 0.0


def test_events_are_counted_and_the_log_has_the_number_of_keys() -> None:
    bench = Bench()
    bench.clock.seconds = LATE
    (line,) = bench.accept(event(1, "a"), event(2, "a"), event(3, "b"), event(4, "few"))
    assert bench.counted == 3
    assert {name: line[name] for name in ("event", "keys", "shard", "sequence")} == {
        "event": "hot_key", "keys": 2, "shard": "s0", "sequence": 1,
    }  # fmt: skip


def test_a_key_that_stays_hot_is_one_line_and_its_end_is_said() -> None:
    bench = Bench()
    bench.clock.seconds = LATE
    assert len(bench.accept(event(1, "a"))) == 1
    for sequence in range(2, 20):
        bench.clock.seconds += 1
        assert bench.accept(event(sequence, "a")) == []
    bench.clock.seconds += LATE
    (line,) = bench.accept(event(30, "few"))
    assert (line["event"], line["condition"]) == ("condition_over", "hot_key")


def test_a_key_that_stays_hot_hides_no_end_of_another_event_type() -> None:
    bench = Bench("line")
    (line,) = bench.others
    for sequence in range(HOT_KEY_EVENTS * RUN):
        line.queue.push(event(sequence, "a"))
    bench.clock.seconds = LATE
    bench.accept(event(1, "a"))
    bench.accept(event(1, "a"), by=line)
    bench.clock.seconds += LATE
    bench.accept(event(2, "a"))
    (said,) = bench.accept(event(2, "few"), by=line)
    assert (said["event"], said["condition"], said["event_type"]) == (
        "condition_over", "hot_key", "line",
    )  # fmt: skip
