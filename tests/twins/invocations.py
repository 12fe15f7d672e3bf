"""A process of Lambda on twins, in virtual time: what it keeps, and one batch after the other."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from consumer.core.event.event import EventFormat
from consumer.core.invocation.batch_answer import Unsettled
from consumer.core.invocation.settled_memory import SettledMemory
from consumer.core.invocation.stream_batch import read_batch
from consumer.core.limits import PublishLimits
from consumer.core.routes.route import Route
from consumer.observability.conditions import Conditions
from consumer.observability.metrics import Metrics
from consumer.ports import Definition
from consumer.runtime.instruments import Instruments
from consumer.runtime.invocation.relay import Relay, RelayLimits
from tests.twins.line import DeadLetterTwin
from tests.twins.nakadi import NakadiTwin
from tests.twins.shard import FIRST, STREAM, record
from tests.twins.virtual_time import HalfChance, VirtualClock

ROUTE = Route(
    "order-store.order",
    EventFormat("orders", ("id",)),
    PublishLimits(),
    ("id",),
    name="orders",
    single=True,
)
LIMITS = RelayLimits(publish=40.0, letter=20.0, patience=20.0, queue_bytes=1 << 24)


def event_of(records: Sequence[bytes]) -> dict[str, Any]:
    """The event of a mapping with these records of GetRecords."""
    return {"Records": [{**json.loads(each), "eventSourceARN": STREAM.arn} for each in records]}


def some_records(count: int, keys: int, start: int = FIRST, **options: Any) -> list[bytes]:
    return [record(start + i, f"k{i % keys}", **options) for i in range(count)]


@dataclass
class Process:
    """`nakadi` is asked for each route whose event type has no other twin in `beside`."""

    nakadi: NakadiTwin = field(default_factory=NakadiTwin)
    queue: DeadLetterTwin | None = None
    routes: Sequence[Route] = (ROUTE,)
    beside: dict[str, NakadiTwin] = field(default_factory=dict)
    limits: RelayLimits = LIMITS
    unfit: dict[str, Definition] = field(default_factory=dict)
    memory: SettledMemory = field(default_factory=SettledMemory)
    clock: VirtualClock = field(default_factory=VirtualClock)
    metrics: Metrics = field(default_factory=Metrics)
    relay: Relay | None = None

    async def invoke(self, records: Sequence[bytes], seconds: float = 120.0) -> Unsettled | None:
        if self.relay is None:
            publishers = {
                each.event_type: self.beside.get(each.event_type, self.nakadi)
                for each in self.routes
            }
            self.relay = Relay(
                self.routes,
                publishers,
                self.queue,
                {},
                self.unfit,
                self.limits,
                self.memory,
                Instruments(self.clock, HalfChance(), self.metrics, Conditions(self.clock.now)),
            )
        batch = read_batch(event_of(records))
        return await self.relay.relay(batch, self.clock.now() + seconds)


def with_limits(**limits: Any) -> Route:
    return replace(ROUTE, limits=PublishLimits(**limits))
