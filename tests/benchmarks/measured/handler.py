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
from tests.benchmarks.records import STREAM_ARN

ROUNDS = 3
"""The best of them counts."""

_, LABEL = STREAM_ARN.split("/stream/")


def made(invocation: bytes | str) -> str:
    """Return the events of an invocation."""
    space = uuid.uuid5(uuid.NAMESPACE_URL, STREAM_ARN)
    return json.dumps([event(space, LABEL, each) for each in json.loads(invocation)["Records"]])


def main() -> None:
    """Measure the workload in the file that is named."""
    _, bodies = pickle.loads(Path(sys.argv[1]).read_bytes())  # noqa: S301 - written by figure (k)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for body in bodies:
            made(body)
        best = min(best, time.process_time() - started)
    json.dump(best * 1e6 / sum(body.count(b'"eventID"') for body in bodies), sys.stdout)


if __name__ == "__main__":
    main()
