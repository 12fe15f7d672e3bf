"""Figure (e): CPU of a consumer that holds shards in which nothing happens."""

from contextlib import ExitStack

from tests.benchmarks.relay_process import consumer_process, new_application
from tests.benchmarks.stubs.server_process import server_process

START_SECONDS = 60.0
SETTLE_SECONDS = 8.0
"""After the first look at every shard: until the polls have backed off."""


def measure_idle(dynamodb_url: str, *, shards: int, seconds: float) -> float:
    """CPU seconds a minute, from a sample of `seconds`."""
    with ExitStack() as stack:
        streams = stack.enter_context(server_process("streams_stub", shards, 0))
        sink = stack.enter_context(server_process("sink"))
        consumer = stack.enter_context(
            consumer_process(streams.url, dynamodb_url, sink.url, new_application())
        )
        consumer.until(lambda: streams.ask("readers") == shards, START_SECONDS)
        consumer.rest(SETTLE_SECONDS)
        usage = consumer.rest(seconds)
    return usage.cpu_seconds * 60 / usage.wall_seconds
