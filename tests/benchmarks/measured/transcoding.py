"""Prints the microseconds of CPU time that a record takes, from the bytes of its page to its event.

It runs with the `consumer` of any version that is on the path, so it imports nothing else.
"""

import json
import pickle
import sys
import time
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from consumer.core.event.event import Event, EventFormat
from consumer.core.event.transcode import Transcoder
from consumer.core.stream.page import decode_page

ARN = "arn:aws:dynamodb:eu-central-1:000000000000:table/orders/stream/2026-11-01T00:00:00.000"

ROUNDS = 7
"""The best of them counts: the others were disturbed, or learned."""

BATCH = 32
"""Records that are made together, as the intake does."""


def new_shapes() -> Any:
    """Return what transcoders share; it has been in three modules."""
    for name in ("items.shapes", "shapes", "item_shape"):
        try:
            return import_module(f"consumer.core.event.{name}").Shapes()
        except (ImportError, AttributeError):
            continue
    raise RuntimeError("this version has no Shapes")


def events_of(transcoder: Any, records: Sequence[object]) -> list[object]:
    """Make the events of a page, as this version does."""
    if not hasattr(transcoder, "events_of"):
        return [transcoder.event_of(record) for record in records]
    changes = [(record, None) for record in records]
    batches = (changes[first : first + BATCH] for first in range(0, len(changes), BATCH))
    return [event for batch in batches for event in transcoder.events_of(batch)]


def main() -> None:
    """Measure the workload in the file that is named."""
    keys, bodies = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - written by figure (k)
    transcoder = Transcoder(EventFormat("order-store:order", keys), ARN, new_shapes())
    best = float("inf")
    for _ in range(ROUNDS):
        records = events = 0
        started = time.process_time()
        for body in bodies:
            found = decode_page(body).records
            made = events_of(transcoder, found)
            records += len(found)
            events += sum(isinstance(each, Event) for each in made)
        best = min(best, time.process_time() - started)
        if events != records:
            raise RuntimeError(f"{records - events} of {records} records gave no event")
    json.dump(best * 1e6 / records, sys.stdout)


if __name__ == "__main__":
    main()
