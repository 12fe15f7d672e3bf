"""Seconds from the start of a process to the first event that Nakadi has accepted."""

from contextlib import ExitStack
from statistics import median

from tests.benchmarks.relay_process import consumer_process, new_application
from tests.benchmarks.stubs.server_process import server_process

SHARDS = 4
RECORDS = 100
LONGEST = 60.0


def measure_first_event(dynamodb_url: str, runs: int) -> tuple[float, list[float]]:
    """Median and all runs; each begins with no row of its application in the lease table."""
    times = [_measure(dynamodb_url) for _ in range(runs)]
    return median(times), times


def _measure(dynamodb_url: str) -> float:
    with ExitStack() as stack:
        streams = stack.enter_context(server_process("streams_stub", SHARDS, RECORDS))
        streams.ask("open")
        sink = stack.enter_context(server_process("sink"))
        consumer = stack.enter_context(
            consumer_process(streams.url, dynamodb_url, sink.url, new_application())
        )
        consumer.until(lambda: sink.ask("count")["first_at"] is not None, LONGEST)
        first_at: float = sink.ask("count")["first_at"]
        return first_at - consumer.started_at
