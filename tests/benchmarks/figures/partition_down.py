"""Figure (p): what a partition that is down costs the other seven.

A real Nakadi holds the answer to every request with an event for that partition. The rate is taken
between two marks of the healthy partitions' events, both behind the first requests, in which nobody
can know yet which partition it is, and behind what was read while these were held.
"""

import json
import time
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime

from localdev.nakadi.java import string_hash
from localdev.nakadi.process import NakadiProcess, local_nakadi
from localdev.workload.event_type import event_type
from tests.benchmarks.prepared_stream import KEYS
from tests.benchmarks.relay_process import consumer_process, new_application
from tests.benchmarks.stubs.server_process import server_process

EVENT_TYPE = "order-store.order"
DOWN = "3"
PARTITIONS = 8
START_SECONDS = 60.0
PATIENCE = 120.0
RECORDS = 120_000
QUEUE_BYTES = 64 * 1024 * 1024
"""Holds a third of the records, more than all those of the partition that is down."""

MARKS = (0.5, 0.95)
"""Shares of the healthy partitions' events between which the rate is taken."""

LOOK_SECONDS = 0.5
SHARDS = 4


@dataclass(frozen=True, slots=True)
class Healthy:
    """How the events of the healthy partitions came in."""

    per_second: float
    seconds: float  # from the first to the last of them
    requests: int


def measure_partitions(dynamodb_url: str, wait: float | None) -> Healthy:
    """`wait` says for how long answers are held, in seconds; None: no partition is down."""
    with ExitStack() as stack:
        nakadi = stack.enter_context(local_nakadi(options=("--no-text",)))
        nakadi.create_event_type(_definition())
        streams = stack.enter_context(server_process("streams_stub", SHARDS, RECORDS // SHARDS))
        consumer = stack.enter_context(
            consumer_process(
                streams.url,
                dynamodb_url,
                nakadi.url,
                new_application(),
                queue_bytes=str(QUEUE_BYTES),
                drain_seconds="2",
            )
        )
        consumer.until(lambda: streams.ask("readers") == SHARDS, START_SECONDS)
        if wait is not None:
            nakadi.add_fault(kind="partial", mode="partition", partitions=[DOWN], delay=wait)
        streams.ask("open")
        arrivals = _Arrivals(nakadi, _healthy_events())
        consumer.until(arrivals.complete, PATIENCE + 2 * (wait or 0.0))
        return arrivals.healthy(len(nakadi.requests()))


class _Arrivals:
    """The log, read on and on: when the events of the healthy partitions came."""

    def __init__(self, nakadi: NakadiProcess, expected: int) -> None:
        self._nakadi = nakadi
        self._expected = expected
        self._read = 0
        self._look_at = 0.0
        self._times: list[float] = []

    def complete(self) -> bool:
        """Are they all there? Looks now and then."""
        if time.monotonic() >= self._look_at:
            news = self._nakadi.log(EVENT_TYPE, "partition,received_at", self._read)
            self._read += len(news)
            self._times += [
                datetime.fromisoformat(str(event["received_at"])).timestamp()
                for event in news
                if event["partition"] != DOWN
            ]
            self._look_at = time.monotonic() + LOOK_SECONDS
        return len(self._times) >= self._expected

    def healthy(self, requests: int) -> Healthy:
        """The rate between the two marks."""
        times = sorted(self._times)
        first, last = (int(share * (len(times) - 1)) for share in MARKS)
        rate = (last - first) / (times[last] - times[first])
        return Healthy(rate, times[-1] - times[0], requests)


def _healthy_events() -> int:
    """How many of the stream's records are not for the partition that is down."""
    per_shard = RECORDS // SHARDS
    keys = (f"o-{shard:02}{n % KEYS:07}" for shard in range(SHARDS) for n in range(per_shard))
    return sum(str(abs(string_hash(key)) % PARTITIONS) != DOWN for key in keys)


def _definition() -> dict[str, object]:
    """The workload's event type; its schema lets the benchmark's orders through."""
    schema = {
        "type": "object",
        "properties": {
            "order_id": {"type": "string"},
            "change": {"type": "object", "properties": {"sequence": {"type": "string"}}},
        },
    }
    return event_type(EVENT_TYPE) | {
        "schema": {"type": "json_schema", "schema": json.dumps(schema)}
    }
