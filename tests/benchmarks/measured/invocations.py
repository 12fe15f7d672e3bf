"""Prints the milliseconds of CPU time that an invocation takes, to stderr: the log has stdout.

`function` is the service's own handler. `plain` is the one that one would write first: the loop of
`handler.py`, and one request with all events. Either gets the invocation as text and answers with
text, as Lambda's runtime has it, and a Nakadi on this machine stores the events.

python -m tests.benchmarks.measured.invocations function|plain BATCH NAKADI_URL
"""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import httpx

from consumer.aws_lambda import relay
from tests.benchmarks.measured.handler import made
from tests.benchmarks.plain_relay import EVENT_TYPE
from tests.benchmarks.prepared_stream import RECORDS_PER_PAGE, STREAM_ARN, PreparedStream

WARM = 3_000
"""Records before those that count: the function has learnt their shapes then."""

COUNTED = 12_000
MEMORY_MB = 512
TIMEOUT_SECONDS = 120.0


@dataclass(slots=True)
class Context:
    """What Lambda tells a handler of the invocation."""

    ends_at: float
    memory_limit_in_mb: str | int = str(MEMORY_MB)

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_at - time.monotonic()) * 1_000)


Handler = Callable[[str], str]


def function(nakadi_url: str) -> Handler:
    """The service's handler."""
    os.environ.update(
        CONSUMER_STREAM_ARN=STREAM_ARN,
        CONSUMER_NAKADI_URL=nakadi_url,
        CONSUMER_EVENT_TYPE=EVENT_TYPE,
        CONSUMER_LAMBDA_PARTIAL="true",
        CONSUMER_LOG_LEVEL="error",
    )

    def handle(event: str) -> str:
        return json.dumps(relay(json.loads(event), Context(time.monotonic() + TIMEOUT_SECONDS)))

    return handle


def plain(nakadi_url: str) -> Handler:
    """A plain handler."""
    client = httpx.Client()
    url = f"{nakadi_url}/event-types/{EVENT_TYPE}/events"

    def handle(event: str) -> str:
        headers = {"content-type": "application/json"}
        client.post(url, content=made(event), headers=headers).raise_for_status()
        return json.dumps({"batchItemFailures": []})

    return handle


def invocations(batch: int, records: int) -> Iterator[str]:
    """The first `records` of a stream, in batches."""
    stream = PreparedStream(1, records, gzip=False)
    pages = [stream.page(0, start) for start in range(0, records, RECORDS_PER_PAGE)]
    found = [
        {**record, "eventSourceARN": STREAM_ARN}
        for page in pages
        for record in json.loads(page)["Records"]
    ]
    for start in range(0, records, batch):
        yield json.dumps({"Records": found[start : start + batch]}, separators=(",", ":"))


def main() -> None:
    """Measure one handler."""
    _, name, batch, nakadi_url = sys.argv
    events = [*invocations(int(batch), WARM + COUNTED)]
    warm = WARM // int(batch)
    handle = {"function": function, "plain": plain}[name](nakadi_url)
    answers = {*map(handle, events[:warm])}
    started = time.process_time()
    answers.update(map(handle, events[warm:]))
    cpu = time.process_time() - started
    if answers != {json.dumps({"batchItemFailures": []})}:
        raise SystemExit(f"not settled: {answers}")
    json.dump(1e3 * cpu / (len(events) - warm), sys.stderr)


if __name__ == "__main__":
    main()
