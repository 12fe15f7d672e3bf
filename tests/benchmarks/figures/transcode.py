"""Figure (a): records a second that one core turns from page bytes into events.

python -m tests.benchmarks.figures.transcode
"""

import time

from consumer.core.event.event import Event, EventFormat
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.page import decode_page
from tests.benchmarks.records import STREAM_ARN, pages

PAGES = 8
RECORDS = 500
ROUNDS = 9  # the best of them counts: the others were disturbed


def measure() -> dict[str, float]:
    """`records_per_second` on one core, and what was measured: `record_bytes`, `event_bytes`."""
    bodies = pages(PAGES, RECORDS)
    transcoder = Transcoder(EventFormat("order-store:order", ("order_id",)), STREAM_ARN, Shapes())
    best = float("inf")
    events: list[Event] = []
    for _ in range(ROUNDS):
        started = time.process_time()
        outcomes = [
            [transcoder.event_of(record) for record in decode_page(body).records] for body in bodies
        ]
        best = min(best, time.process_time() - started)
        events = [event for outcome in outcomes for event in outcome if isinstance(event, Event)]
    total = PAGES * RECORDS
    if len(events) != total:
        raise RuntimeError(f"{total - len(events)} of {total} records gave no event")
    return {
        "records_per_second": total / best,
        "record_bytes": sum(map(len, bodies)) / total,
        "event_bytes": sum(len(event.body) for event in events) / total,
    }


def main() -> None:
    """Print the figures."""
    for name, value in measure().items():
        print(f"{name:20} {value:10.0f}")


if __name__ == "__main__":
    main()
