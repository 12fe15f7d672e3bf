"""Figure (g): what gzip of publishing requests costs and saves, on a request of 500 events."""

import time
from dataclasses import dataclass

from consumer.adapters.nakadi import compressed
from consumer.core.event.event import Event, EventFormat
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.page import decode_page
from tests.benchmarks.records import STREAM_ARN, page

EVENTS = 500
ROUNDS = 30  # the best of them counts: the others were disturbed


@dataclass(frozen=True, slots=True)
class GzipCost:
    milliseconds_per_mb: float  # CPU, for each 10^6 bytes of body
    microseconds_per_event: float
    ratio: float  # bytes before to bytes after


def measure_gzip() -> GzipCost:
    """Of the benchmark's orders, as they are published."""
    transcoder = Transcoder(EventFormat("order-store:order", ("order_id",)), STREAM_ARN, Shapes())
    made = [transcoder.event_of(record) for record in decode_page(page(0, EVENTS)).records]
    body = b"[%b]" % b",".join(event.body for event in made if isinstance(event, Event))
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        small = compressed(body)
        best = min(best, time.process_time() - started)
    return GzipCost(best * 1e3 / (len(body) / 1e6), best * 1e6 / EVENTS, len(body) / len(small))
