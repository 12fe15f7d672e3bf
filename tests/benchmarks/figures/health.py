"""Figure (h): what `consumer health` costs, which a container runs every few seconds."""

import os
import resource
import socket
import subprocess
from contextlib import ExitStack
from statistics import median

from tests.benchmarks.relay_process import CONSUMER, consumer_process, new_application
from tests.benchmarks.stubs.server_process import server_process

SHARDS = 4
LONGEST = 60.0


def measure_health(dynamodb_url: str, runs: int) -> tuple[float, list[float]]:
    """Median and all runs: CPU seconds of the command, asking a consumer that works."""
    with ExitStack() as stack:
        streams = stack.enter_context(server_process("streams_stub", SHARDS, 0))
        sink = stack.enter_context(server_process("sink"))
        port = _free_port()
        consumer = stack.enter_context(
            consumer_process(
                streams.url, dynamodb_url, sink.url, new_application(), http_port=str(port)
            )
        )
        consumer.until(lambda: streams.ask("readers") == SHARDS, LONGEST)
        times = [_measure(port) for _ in range(runs)]
    return median(times), times


def _measure(port: int) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [*CONSUMER, "health"],
        env={"PATH": os.environ["PATH"], "CONSUMER_HTTP_PORT": str(port)},
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
