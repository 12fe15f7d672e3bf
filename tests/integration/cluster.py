"""A whole installation on this machine: streams server, lease table, local Nakadi, workers.

Every part is a process of its own, spoken to over real sockets; every worker is `consumer run`.
"""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3

from localdev.aws.process import AwsProcess, local_aws
from localdev.nakadi.process import NakadiProcess, local_nakadi
from localdev.streams.process import StreamsProcess, streams_process
from tests.integration.consumer_process import ConsumerProcess
from tests.patience import PATIENCE

EVENT_TYPE = "order-store.order"
TABLE = "orders"
CONSUMER = str(Path(sys.executable).with_name("consumer"))
LOOK_SECONDS = 0.05
UNHURRIED = {"CONSUMER_LEASE_DURATION_SECONDS": "120"}
"""For workers none of which dies: no machine is so slow that one is taken for dead."""


@dataclass
class Verdict:
    """What became of the changes, counted from the stream and the Nakadi log."""

    changes: int
    events: int
    lost: int
    duplicated: int
    out_of_order: int


@dataclass
class WorkerProcess:
    process: ConsumerProcess | subprocess.Popen[bytes]
    log: Path

    @property
    def url(self) -> str:
        """Its HTTP server, known from its first log line."""
        for line in self.log.read_text().splitlines():
            if line.startswith("{") and (entry := json.loads(line))["event"] == "starting":
                return f"http://127.0.0.1:{entry['http_port']}"
        raise LookupError

    def get(self, path: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(self.url + path, timeout=PATIENCE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def status(self) -> dict[str, Any]:
        told: dict[str, Any] = json.loads(self.get("/status")[1])
        return told

    def shards(self) -> list[str]:
        try:
            return [shard["shard_id"] for shard in self.status()["shards"]]
        except (LookupError, OSError):
            return []

    def metric(self, name: str) -> float:
        """The largest value of a metric's series, 0 if there is none."""
        lines = self.get("/metrics")[1].splitlines()
        values = [line for line in lines if line.startswith((name + " ", name + "{"))]
        return max((float(line.rsplit(" ", 1)[1]) for line in values), default=0.0)

    def stop(self, number: int = signal.SIGTERM, seconds: float = PATIENCE) -> tuple[int, float]:
        """Send a signal; exit code and seconds until the exit."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(seconds), time.monotonic() - started

    def events(self, name: str) -> list[dict[str, Any]]:
        """Its log lines with this event."""
        lines = [json.loads(s) for s in self.log.read_text().splitlines() if s.startswith("{")]
        return [line for line in lines if line["event"] == name]


@dataclass
class Cluster:
    streams: StreamsProcess
    aws: AwsProcess
    nakadi: NakadiProcess
    folder: Path
    arn: str
    queue_url: str
    leases_url: str  # of the DynamoDB that has the lease table
    settings: dict[str, str] = field(default_factory=dict)
    workers: list[WorkerProcess] = field(default_factory=list)

    def environment(self, **settings: str) -> dict[str, str]:
        """What a worker needs: streams from our server, leases and queue from the embedded AWS."""
        region = self.arn.split(":")[3]
        return {
            "PATH": os.environ["PATH"],
            **self.aws.environment(),
            "AWS_REGION": region,
            "AWS_DEFAULT_REGION": region,
            "AWS_ENDPOINT_URL_DYNAMODB": self.leases_url,
            "AWS_ENDPOINT_URL_SQS": self.aws.endpoint_url,
            "AWS_ENDPOINT_URL_DYNAMODB_STREAMS": self.streams.url,
            "CONSUMER_STREAM_ARN": self.arn,
            "CONSUMER_NAKADI_URL": self.nakadi.url,
            "CONSUMER_EVENT_TYPE": EVENT_TYPE,
            "CONSUMER_DEAD_LETTER_QUEUE_URL": self.queue_url,
            "CONSUMER_HTTP_HOST": "127.0.0.1",
            "CONSUMER_HTTP_PORT": "0",
            **self.settings,
            **settings,
        }

    def start(self, **settings: str) -> WorkerProcess:
        """Start one more worker."""
        log = self._next_log
        process = ConsumerProcess(["run"], self.environment(**settings), log, log)
        return self._started(process, log)

    def start_version(self, source: Path, **settings: str) -> WorkerProcess:
        """Start one more worker, of the version that is in this folder."""
        log = self._next_log
        with log.open("wb") as out:
            process = subprocess.Popen(
                [CONSUMER, "run"],
                env=self.environment(PYTHONPATH=str(source), **settings),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        return self._started(process, log)

    @property
    def _next_log(self) -> Path:
        return self.folder / f"worker-{len(self.workers)}.log"

    def _started(
        self, process: ConsumerProcess | subprocess.Popen[bytes], log: Path
    ) -> WorkerProcess:
        worker = WorkerProcess(process, log)
        self.workers.append(worker)
        return worker

    def fill(self, records: int, keys: int = 100, **options: object) -> None:
        self.streams.control("fill", table=TABLE, records=records, keys=keys, **options)

    def open_shards(self) -> list[str]:
        (stream,) = self.truth()
        return [shard["shard"] for shard in stream["shards"] if shard["ending"] is None]

    def truth(self) -> list[dict[str, Any]]:
        told: Any = self.streams.control("truth")
        return list(told["streams"])

    def verdict(self) -> Verdict:
        """Hold the Nakadi log against every record ever written, which is asked for after it."""
        log: list[dict[str, Any]] = self.nakadi.log(EVENT_TYPE, fields="eid,key,sequence")
        order: dict[str, int] = {}
        for stream in self.truth():
            space = uuid.uuid5(uuid.NAMESPACE_URL, stream["arn"])
            for shard in stream["shards"]:
                for record in shard["records"]:
                    eid = str(uuid.uuid5(space, record["eventID"]))
                    order[eid] = int(record["sequence"])
        seen: set[str] = set()
        highest: dict[str, int] = defaultdict(int)
        duplicated = out_of_order = 0
        for event in log:
            if event["eid"] in seen:
                duplicated += 1
                continue
            seen.add(event["eid"])
            sequence = order[event["eid"]]
            out_of_order += sequence < highest[event["key"]]
            highest[event["key"]] = max(highest[event["key"]], sequence)
        return Verdict(len(order), len(log), len(order.keys() - seen), duplicated, out_of_order)

    def until(self, true: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
        """Wait; the seconds it took. Fails with the workers' last words."""
        started = looked = time.monotonic()
        while not true():
            if time.monotonic() - started > seconds:
                tails = [w.log.read_text()[-1500:] for w in self.workers]
                raise AssertionError(f"not within {seconds} s: {what}\n" + "\n---\n".join(tails))
            # Looking takes time from those looked at: a fifth of it at most.
            time.sleep(max(LOOK_SECONDS, 4 * (time.monotonic() - looked)))
            looked = time.monotonic()
        return time.monotonic() - started

    def until_settled(self, seconds: float = PATIENCE) -> Verdict:
        """Wait until nothing is missing any more."""
        self.until(lambda: self.verdict().lost == 0, "all changes accepted", seconds)
        return self.verdict()

    def close(self) -> None:
        for worker in self.workers:
            if worker.process.poll() is None:
                worker.process.kill()
                worker.process.wait(10)


DEFINITION = {
    "name": EVENT_TYPE,
    "owning_application": "order-store",
    "category": "data",
    "enrichment_strategies": ["metadata_enrichment"],
    "partition_strategy": "hash",
    "compatibility_mode": "forward",
    "default_statistic": {
        "messages_per_minute": 1000,
        "message_size": 1000,
        "read_parallelism": 8,
        "write_parallelism": 8,
    },
}


def definition(key: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": [key],
        "properties": {
            key: {"type": "string"},
            "change": {
                "type": "object",
                "properties": {"sequence": {"type": "string"}, "stream": {"type": "string"}},
            },
        },
    }
    return {
        **DEFINITION,
        "partition_key_fields": [key],
        "ordering_key_fields": ["data.change.stream", "data.change.sequence"],
        "ordering_instance_ids": [f"data.{key}"],
        "schema": {"type": "json_schema", "schema": json.dumps(schema)},
    }


@contextmanager
def cluster(
    folder: Path,
    *arguments: str,
    shards: int = 1,
    view_type: str = "NEW_AND_OLD_IMAGES",
    leases: Callable[[], AbstractContextManager[AwsProcess]] | None = None,
) -> Iterator[Cluster]:
    """Start everything but workers; stop everything at the end.

    The lease table is on the embedded AWS, as is the queue, or on the server that `leases` starts.
    """
    with ExitStack() as stack:
        streams = stack.enter_context(streams_process("--shards", str(shards), *arguments))
        aws = stack.enter_context(local_aws())
        nakadi = stack.enter_context(local_nakadi())
        region = streams.environment()["AWS_REGION"]
        keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
        table = boto3.client("dynamodb", endpoint_url=streams.url, region_name=region, **keys)
        table.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
            StreamSpecification={"StreamEnabled": True, "StreamViewType": view_type},
        )
        arn = table.describe_table(TableName=TABLE)["Table"]["LatestStreamArn"]
        table.close()
        sqs = boto3.client("sqs", endpoint_url=aws.endpoint_url, region_name=region, **keys)
        queue_url = sqs.create_queue(QueueName="dead-letters")["QueueUrl"]
        sqs.close()
        nakadi.create_event_type(definition("id"))
        leases_url = stack.enter_context(leases()).endpoint_url if leases else aws.endpoint_url
        made = Cluster(streams, aws, nakadi, folder, arn, queue_url, leases_url)
        stack.callback(made.close)
        yield made
