"""The servers around the consumer, with the table, the queue and the event types it needs."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from localdev.aws.process import local_aws
from localdev.demo.arguments import Arguments
from localdev.demo.environment import NO_ACCOUNT
from localdev.demo.telling import Rule, everything, shop
from localdev.nakadi.process import NakadiProcess, local_nakadi
from localdev.streams.process import streams_process
from localdev.workload.event_type import SHOP_EVENT_TYPES, event_type, shop_event_types
from localdev.workload.order import KEY
from localdev.workload.setup import create_event_type, create_queue
from localdev.workload.shop import KEYS
from localdev.workload.table import OrderTable

TABLE = "orders"
QUEUE = "order-dead-letters"
EVENT_TYPE = "order-store.order"
ROUTES = Path(__file__).parents[1] / "workload" / "routes.yaml"
SPLIT_SECONDS = 3.0
_REGION = ("AWS_REGION", "AWS_DEFAULT_REGION")


@dataclass(frozen=True, slots=True)
class Stage:
    """`environ` leads AWS clients to the table and the queue, `settings` are the consumer's.

    They differ if the table is in our own streams server, which has no lease table. `key` is the
    table's partition key, and `rule` says what the event types are told of a change.
    """

    nakadi: NakadiProcess
    event_types: tuple[str, ...]
    key: str
    rule: Rule
    stream_arn: str
    queue_url: str
    environ: dict[str, str]
    settings: dict[str, str]


@contextmanager
def stage(asked: Arguments, tell: Callable[[str], None]) -> Iterator[Stage]:
    """Run the servers until the block ends, and tell each step before it is done."""
    with ExitStack() as servers:
        tell("a local AWS, for the leases and the dead letter queue")
        aws = servers.enter_context(local_aws())
        tell("a local Nakadi")
        nakadi = servers.enter_context(local_nakadi())
        account = aws.environment()
        environ = {**os.environ, **account}
        reading = {"CONSUMER_TABLE": TABLE}
        if asked.splitting:
            tell("a streams server, whose shards split")
            streams = servers.enter_context(
                streams_process("--shards", str(asked.shards), "--split-every", str(SPLIT_SECONDS))
            )
            reading = {"AWS_ENDPOINT_URL_DYNAMODB_STREAMS": streams.url}
            account |= {name: streams.environment()[name] for name in _REGION}  # of its ARNs
            environ |= account | reading | {"AWS_ENDPOINT_URL_DYNAMODB": streams.url}
        tell("the table, the dead letter queue and the event type" + "s" * asked.routes)
        keys = KEYS if asked.routes else (KEY,)
        stream_arn = OrderTable(TABLE, environ, keys).create()
        if "CONSUMER_TABLE" not in reading:
            reading["CONSUMER_STREAM_ARN"] = stream_arn
        queue_url = create_queue(QUEUE, environ)
        event_types = tuple(SHOP_EVENT_TYPES) if asked.routes else (EVENT_TYPE,)
        for each in shop_event_types() if asked.routes else [event_type(EVENT_TYPE)]:
            create_event_type(nakadi.url, each)
        where = (
            {"CONSUMER_CONFIG_FILE": str(ROUTES)}
            if asked.routes
            else {"CONSUMER_EVENT_TYPE": EVENT_TYPE}
        )
        yield Stage(
            nakadi=nakadi,
            event_types=event_types,
            key=keys[0],
            rule=shop if asked.routes else everything(EVENT_TYPE),
            stream_arn=stream_arn,
            queue_url=queue_url,
            environ=environ,
            settings={
                **NO_ACCOUNT,
                **account,
                **reading,
                "CONSUMER_NAKADI_URL": nakadi.url,
                **where,
                "CONSUMER_DEAD_LETTER_QUEUE_URL": queue_url,
                "CONSUMER_HTTP_HOST": "127.0.0.1",
                "CONSUMER_HTTP_PORT": "0",
                "CONSUMER_LOG_FORMAT": "text",
            },
        )
