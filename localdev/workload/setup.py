"""Create what a consumer needs: a table with a stream, a dead letter queue, event types.

Leaves alone what is there already. The servers must be up. Prints the consumer's settings for them.
"""

import argparse
import json
import os
import urllib.error
import urllib.request
from collections.abc import Mapping

from localdev.workload.aws_client import aws_client
from localdev.workload.event_type import event_type, shop_event_types
from localdev.workload.order import KEY
from localdev.workload.shop import KEYS
from localdev.workload.table import OrderTable

_RETENTION_SECONDS = str(14 * 24 * 3600)  # the longest that SQS keeps a message
_CALL_SECONDS = 10.0
_EXISTS = 409


def create_queue(name: str, environ: Mapping[str, str]) -> str:
    """Create an SQS queue unless it exists, and return its URL."""
    answer = aws_client("sqs", environ).create_queue(
        QueueName=name, Attributes={"MessageRetentionPeriod": _RETENTION_SECONDS}
    )
    url: str = answer["QueueUrl"]
    return url


def create_event_type(nakadi_url: str, definition: Mapping[str, object]) -> None:
    """Create the event type unless it exists. Raise OSError if Nakadi cannot be reached."""
    request = urllib.request.Request(  # noqa: S310 - a local URL
        f"{nakadi_url}/event-types",
        data=json.dumps(definition).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=_CALL_SECONDS):  # noqa: S310 - a local URL
            pass
    except urllib.error.HTTPError as error:
        with error:
            if error.code != _EXISTS:
                raise RuntimeError(f"{nakadi_url}: {error.read().decode()}") from None


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m localdev.workload.setup", description=__doc__)
    made.add_argument("--table", default="orders")
    made.add_argument("--queue", default="order-dead-letters")
    made.add_argument("--event-type", default="order-store.order")
    made.add_argument("--nakadi-url", default="http://127.0.0.1:8090")
    made.add_argument(
        "--shop",
        action="store_true",
        help="the table and the event types of routes.yaml, instead of the one event type",
    )
    return made


def main() -> None:
    """Create all three; the AWS_* variables name the endpoints."""
    asked = parser().parse_args()
    keys = KEYS if asked.shop else (KEY,)
    print(f"CONSUMER_STREAM_ARN={OrderTable(asked.table, os.environ, keys).create()}")
    print(f"CONSUMER_DEAD_LETTER_QUEUE_URL={create_queue(asked.queue, os.environ)}")
    for definition in shop_event_types() if asked.shop else [event_type(asked.event_type)]:
        create_event_type(asked.nakadi_url, definition)
    if asked.shop:
        print("CONSUMER_CONFIG_FILE=localdev/workload/routes.yaml")
    else:
        print(f"CONSUMER_EVENT_TYPE={asked.event_type}")


if __name__ == "__main__":
    main()
