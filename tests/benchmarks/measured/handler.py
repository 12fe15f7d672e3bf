"""Prints the microseconds of CPU time that a record takes in the loop of a plain Lambda handler.

It is the handler that one would write first: the invocation's JSON becomes objects, each image
those of boto3's deserialiser, the patch jsonpatch's, and all of them JSON again. What Lambda and
the request to Nakadi cost is not in it.
"""

import json
import pickle
import sys
import time
import uuid
from pathlib import Path

from tests.benchmarks.plain_relay import event

ROUNDS = 3
"""The best of so many counts."""

LABEL = "2026-11-01T00:00:00.000"
ARN = f"arn:aws:dynamodb:eu-central-1:000000000000:table/orders/stream/{LABEL}"


def handle(invocation: bytes) -> int:
    """Make the events of an invocation; return how many there are."""
    space = uuid.uuid5(uuid.NAMESPACE_URL, ARN)
    events = [event(space, LABEL, record) for record in json.loads(invocation)["Records"]]
    json.dumps(events)
    return len(events)


def main() -> None:
    """Measure the workload in the file that is named."""
    _, bodies = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - written by figure (k)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        records = sum(map(handle, bodies))
        best = min(best, time.process_time() - started)
    json.dump(best * 1e6 / records, sys.stdout)


if __name__ == "__main__":
    main()
