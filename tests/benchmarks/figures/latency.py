"""Figure (t): time from a write to its acceptance by Nakadi, and what asking for it costs.

The stream's records appear at times that are drawn beforehand; the sink notes when it has accepted
each event. Both are times of one machine's monotonic clock.
"""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from statistics import quantiles

from tests.benchmarks.relay_process import RUN, consumer_process, new_application
from tests.benchmarks.stubs.server_process import server_process

START_SECONDS = 60.0
SETTLE_SECONDS = 15.0
"""After the first change: until a pace that learns has learned."""

LAST_SECONDS = 5.0
"""Changes this young at the end may be under way, and do not count."""

SECONDS_PER_MONTH = 30 * 24 * 3600
FREE_REQUESTS = 2.5e6
DOLLARS_PER_REQUEST = 0.02 / 100_000


@dataclass(frozen=True, slots=True)
class Latency:
    """`requests` are GetRecords calls a second of each shard, the percentiles milliseconds."""

    requests: list[float]
    percentiles: list[float]  # of 1 % to 99 %; empty if nothing was written

    @property
    def dollars(self) -> float:
        """Price of the requests of all shards for a month, if the account reads nothing else."""
        return dollars_a_month(sum(self.requests))

    def of(self, shard: int) -> "Latency":
        """The requests of one shard alone."""
        return Latency([self.requests[shard]], [])

    @property
    def p50(self) -> float:
        """The milliseconds within which half of the changes were accepted."""
        return self.percentiles[49]

    def told(self) -> str:
        """The percentiles that are shown."""
        return " / ".join(f"{self.percentiles[at - 1]:,.0f}" for at in (50, 90, 99))


def dollars_a_month(requests_a_second: float) -> float:
    """Price of this rate of GetRecords requests, in us-east-1."""
    paid = max(0.0, requests_a_second * SECONDS_PER_MONTH - FREE_REQUESTS)
    return paid * DOLLARS_PER_REQUEST


def measure_latency(
    dynamodb_url: str, rates: Sequence[float], seconds: float, command: Sequence[str] = RUN
) -> Latency:
    """Measure for `seconds`; `rates` are the changes a second of each shard."""
    with ExitStack() as stack:
        written = SETTLE_SECONDS + seconds + LAST_SECONDS
        streams = stack.enter_context(server_process("streams_stub", "live", written, *rates))
        sink = stack.enter_context(server_process("sink"))
        consumer = stack.enter_context(
            consumer_process(
                streams.url, dynamodb_url, sink.url, new_application(), command=command
            )
        )
        consumer.until(lambda: streams.ask("readers") == len(rates), START_SECONDS)
        streams.ask("open")
        consumer.rest(SETTLE_SECONDS)
        before = streams.ask("requests")
        usage = consumer.rest(seconds)
        requests = streams.ask("requests")
        consumer.rest(LAST_SECONDS)
        waits = list(waits_of(streams.ask("writes"), sink.ask("arrivals"), seconds))
    return Latency(
        [(last - first) / usage.wall_seconds for first, last in zip(before, requests, strict=True)],
        [1000 * wait for wait in quantiles(waits, n=100)] if waits else [],
    )


def waits_of(
    writes: list[list[float]], arrivals: list[tuple[float, list[tuple[int, int]]]], seconds: float
) -> Iterator[float]:
    """Seconds from each counted write to the first time that it was accepted.

    Raises RuntimeError if one was not.
    """
    accepted: dict[tuple[int, int], float] = {}
    for at, places in arrivals:
        for shard, number in places:
            accepted.setdefault((shard, number), at)
    begin = min((times[0] for times in writes if times), default=0.0) + SETTLE_SECONDS
    for shard, times in enumerate(writes):
        for number, at in enumerate(times):
            if begin <= at < begin + seconds:
                if (shard, number) not in accepted:
                    raise RuntimeError(f"change {number} of shard {shard} was not published")
                yield accepted[shard, number] - at
