"""Figures (b), (c), (d): what a relay makes of a stream that is full of records.

The stream opens its gate when the relay has asked for every shard, and the count ends with the
last event, so start-up is left out and everything else is in: what is read ahead is published, too.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass

from tests.benchmarks.relay_process import (
    RelayProcess,
    Usage,
    consumer_process,
    new_application,
    plain_relay_process,
)
from tests.benchmarks.stubs.server_process import server_process

START_SECONDS = 60.0
STILL_SECONDS = 3.0
"""A consumer that asks for no page during this time has stopped reading."""

BACKLOG = 300_000
"""More records than the default queue has room for."""

SLOWEST = 200
"""Records a second below which a run has failed."""


@dataclass(frozen=True, slots=True)
class Throughput:
    records: int
    usage: Usage

    @property
    def per_cpu_second(self) -> float:
        return self.records / self.usage.cpu_seconds

    @property
    def per_second(self) -> float:
        return self.records / self.usage.wall_seconds


StartRelay = Callable[[str, str], AbstractContextManager[RelayProcess]]


def measure_consumer(
    dynamodb_url: str, *, shards: int, records: int, gzip: bool = False
) -> Throughput:
    """The whole consumer; `records` are those of all shards together."""

    def start(streams_url: str, nakadi_url: str) -> AbstractContextManager[RelayProcess]:
        return consumer_process(streams_url, dynamodb_url, nakadi_url, new_application())

    return _measure(start, shards, records, gzip=gzip)


def measure_plain_relay(records: int) -> Throughput:
    """The plain relay, one shard."""
    return _measure(plain_relay_process, 1, records, gzip=False)


def measure_full_queue(dynamodb_url: str, shards: int) -> int:
    """Peak memory in bytes while Nakadi is down and the queue is full."""
    with ExitStack() as stack:
        streams = stack.enter_context(server_process("streams_stub", shards, BACKLOG // shards))
        sink = stack.enter_context(server_process("sink", "down"))
        consumer = stack.enter_context(
            consumer_process(streams.url, dynamodb_url, sink.url, new_application())
        )
        streams.ask("open")
        consumer.until(lambda: streams.ask("pages") > 0, START_SECONDS)
        seen = -1
        while (pages := streams.ask("pages")) != seen:
            seen = pages
            consumer.rest(STILL_SECONDS)
        return consumer.peak_rss


def _measure(start: StartRelay, shards: int, records: int, *, gzip: bool) -> Throughput:
    options = ["gzip"] if gzip else []
    with ExitStack() as stack:
        streams = stack.enter_context(
            server_process("streams_stub", shards, records // shards, *options)
        )
        sink = stack.enter_context(server_process("sink"))
        relay = stack.enter_context(start(streams.url, sink.url))
        relay.until(lambda: streams.ask("readers") == shards, START_SECONDS)
        streams.ask("open")
        usage = relay.until(lambda: sink.ask("count")["events"] >= records, records / SLOWEST)
        relay.rest(0.5)  # what is sent twice may come late
        report = sink.ask("report")
    faults = {
        "lost": records - report["distinct"],
        "duplicated": report["events"] - report["distinct"],
        "out of order": report["out_of_order"],
    }
    if any(faults.values()):
        raise RuntimeError(f"of {records} records: {faults}")
    return Throughput(records, usage)
