"""A function of Lambda behind a stand-in of its mapping, on the parts of a cluster."""

import asyncio
import json
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

import boto3

from localdev.event_source_mapping.function import COMMAND, HANDLER, LocalFunction
from localdev.event_source_mapping.lane import Discarded, MappingOptions, Record, created_at
from localdev.event_source_mapping.mapping import EventSourceMapping, Outcome
from localdev.event_source_mapping.stream_reading import StreamReading
from localdev.nakadi.process import NakadiProcess, local_nakadi
from tests.integration.cluster import EVENT_TYPE, Cluster

DAY = 86_400
REPORTS = MappingOptions(batch_size=100, reports=True)


@dataclass
class Mapped:
    """A function with a Nakadi and a dead letter queue of its own, on the stream of a cluster."""

    cluster: Cluster
    nakadi: NakadiProcess
    queue_url: str
    settings: dict[str, str] = field(default_factory=dict)
    invocations: int = 0

    def environment(self) -> dict[str, str]:
        return {
            **self.cluster.environment(),
            "CONSUMER_NAKADI_URL": self.nakadi.url,
            "CONSUMER_DEAD_LETTER_QUEUE_URL": self.queue_url,
            "CONSUMER_LAMBDA_PARTIAL": "true",
            **self.settings,
        }

    def run(
        self,
        options: MappingOptions = REPORTS,
        seed: int = 0,
        *,
        fresh: float = 0.0,
        seconds: float = 120.0,
        retry_seconds: float = 0.5,
        older: Collection[int] = (),
        beside: Callable[[LocalFunction], Coroutine[Any, Any, None]] | None = None,
    ) -> list[Discarded]:
        """Map the whole stream to the function; return what was thrown away.

        `older` are the numbers of records that are to look a day older than they are. `beside` goes
        on meanwhile, and does something to the function's processes.
        """
        random = Random(seed)
        log = self.cluster.folder / f"function-{seed}.log"

        async def main() -> list[Discarded]:
            with log.open("ab") as out:
                function = LocalFunction(
                    self.environment(), random, seconds=seconds, fresh=fresh, log=out.fileno()
                )
                mapping = EventSourceMapping(function, options, random, retry_seconds=retry_seconds)
                shards = [
                    replace(shard, records=[made_earlier(each, older) for each in shard.records])
                    for shard in StreamReading(self.cluster.streams.url, self.cluster.arn).shards()
                ]
                try:
                    async with asyncio.TaskGroup() as tasks:
                        other = tasks.create_task(beside(function)) if beside else None
                        await mapping.run(shards)
                        if other is not None:
                            other.cancel()
                finally:
                    self.invocations = mapping.invocations
                    await function.stop()
                return mapping.discarded

        return asyncio.run(main())

    def invoke(
        self,
        event: Mapping[str, Any],
        handler: str = HANDLER,
        command: Sequence[str] = COMMAND,
        **environ: str,
    ) -> Outcome:
        """Invoke a function by hand, in a process of its own that runs this command."""

        async def main() -> Outcome:
            with (self.cluster.folder / "invoked.log").open("ab") as out:
                function = LocalFunction(
                    {**self.environment(), **environ},
                    Random(0),
                    handler=handler,
                    command=command,
                    log=out.fileno(),
                )
                try:
                    return await function.invoke(event)
                finally:
                    await function.stop()

        return asyncio.run(main())


@contextmanager
def mapped(cluster: Cluster, event_type: Mapping[str, Any]) -> Iterator[Mapped]:
    """Start a Nakadi, and make a queue, for a function beside the service of a cluster."""
    with local_nakadi() as nakadi:
        nakadi.create_event_type(event_type)
        queue_url = sqs(cluster).create_queue(QueueName="letters-of-lambda")["QueueUrl"]
        yield Mapped(cluster, nakadi, queue_url)


def made_earlier(record: Record, older: Collection[int]) -> Record:
    """The record, a day older if its number is one of these."""
    told = record["dynamodb"]
    if int(told["SequenceNumber"]) not in older:
        return record
    return {**record, "dynamodb": {**told, "ApproximateCreationDateTime": created_at(record) - DAY}}


def sqs(cluster: Cluster) -> Any:
    return boto3.client(
        "sqs",
        endpoint_url=cluster.aws.endpoint_url,
        region_name=cluster.arn.split(":")[3],
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
    )


def events(nakadi: NakadiProcess) -> list[dict[str, Any]]:
    """What is stored, in the order of storing, as it was published."""
    return [json.loads(str(each["event"])) for each in nakadi.log(EVENT_TYPE)]


def letters(cluster: Cluster, queue_url: str) -> list[dict[str, Any]]:
    """All letters in a queue, which is empty then."""
    client = sqs(cluster)
    found: list[dict[str, Any]] = []
    while True:
        answer = client.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
        messages: Sequence[dict[str, Any]] = answer.get("Messages", [])
        if not messages:
            return found
        for message in messages:
            found.append(json.loads(message["Body"]))
            client.delete_message(QueueUrl=queue_url, ReceiptHandle=message["ReceiptHandle"])
