"""One installation to practise on: faults in, alerts out, and a protocol of what was seen."""

import json
import re
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3

from localdev.observability.rules import ALERTS, LOCAL, SOURCE, render
from tests.alerts.exporter import Exporter, exporter
from tests.alerts.observed import Observed, observed
from tests.integration.cluster import EVENT_TYPE
from tests.integration.consumer_process import run_consumer

VALUES = {
    **ALERTS,
    "ageWarningSeconds": 10,
    "agePageSeconds": 30,
    "retentionSeconds": 120,
    "oldestDeadLetterSeconds": 20,
    "routeSilenceSeconds": 20,
    "freshnessSeconds": 5,
    "freshnessObjective": 0.999,
}
TABLE = "consumer-leases"
SECONDS = {"m": 60, "h": 3600, "d": 86400}


def quick_rules() -> str:
    """The chart's rules in a hurry."""
    values = {"alerts": VALUES, "config": {"event_type": EVENT_TYPE}}
    text = render(SOURCE.read_text(), {**LOCAL, "Values": values})
    text = re.sub(r"(for|interval): (\d+)m", r"\1: \2s", text)
    ranges = re.compile(r"(\[|\boffset )(\d+)([mhd])\b")
    return ranges.sub(lambda m: f"{m[1]}{int(m[2]) * SECONDS[m[3]] // 10}s", text)


class Drill:
    """One installation, and a protocol of what was seen."""

    def __init__(self, here: Observed, told: Exporter) -> None:
        self.here = here
        self.told = told
        self.started = time.monotonic()

    def say(self, text: str) -> None:
        print(f"  {time.monotonic() - self.started:6.1f} s  {text}", flush=True)

    def fires(self, *alerts: str, seconds: float = 120) -> None:
        for alert in alerts:
            self._until(alert, seconds, firing=True)
            summary = self.here.prometheus.texts(alert)[0]["summary"]
            self.say(f"FIRING {alert}: {summary}")
            for text in self.here.prometheus.texts(alert):
                assert "error expanding" not in " ".join(text.values()), text

    def silent(self, *alerts: str, seconds: float = 120) -> None:
        for alert in alerts:
            self._until(alert, seconds, firing=False)
            self.say(f"silent {alert}")

    def command(self, *words: str) -> int:
        """Run `consumer …` as an operator would."""
        ran = run_consumer(words, self.here.cluster.environment())
        self.say(f"$ consumer {' '.join(words)}   (exit {ran.returncode})")
        for line in (ran.stdout + ran.stderr).strip().splitlines()[:12]:
            print(f"            {line[:200]}", flush=True)
        return ran.returncode

    def status(self) -> None:
        for worker in self.here.cluster.workers:
            if worker.process.poll() is None:
                found = worker.status()
                self.say(f"/status {json.dumps(found['event_types'])} {json.dumps(found['queue'])}")

    def errors(self, count: int = 3) -> None:
        """The last lines of the logs that are no mere information."""
        for worker in self.here.cluster.workers:
            lines = [s for s in worker.log.read_text().splitlines() if '"level":"info"' not in s]
            for line in lines[-count:]:
                self.say(f"log {line[:300]}")

    def settled(self) -> None:
        verdict = self.here.cluster.until_settled(60)
        self.say(f"all settled: {verdict}")

    def _until(self, alert: str, seconds: float, *, firing: bool) -> None:
        deadline = time.monotonic() + seconds
        while (self.here.prometheus.alerts().get(alert) == "firing") is not firing:
            if time.monotonic() > deadline:
                raise AssertionError(f"{alert}: {self.here.prometheus.alerts()}")
            time.sleep(0.5)


def oldest_letter(drill: Drill) -> float | None:
    """Seconds since the oldest visible message was sent, as SQS tells CloudWatch."""
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    where = drill.here.cluster.aws.endpoint_url
    sqs = boto3.client("sqs", endpoint_url=where, region_name="us-east-1", **keys)
    try:
        found = sqs.receive_message(
            QueueUrl=drill.here.cluster.queue_url,
            VisibilityTimeout=0,
            MessageSystemAttributeNames=["SentTimestamp"],
        ).get("Messages", [])
    finally:
        sqs.close()
    sent = [int(each["Attributes"]["SentTimestamp"]) / 1000 for each in found]
    return time.time() - min(sent) if sent else None


class LeaseRows:
    """The lease table under an operator's hands. `dynamodb` is a client of boto3."""

    def __init__(self, dynamodb: Any) -> None:
        self._dynamodb = dynamodb

    def damage(self, attribute: str) -> dict[str, Any]:
        """Make an attribute of one lease row a number; return the row as it was."""
        rows = self._dynamodb.scan(TableName=TABLE)["Items"]
        row: dict[str, Any] = next(row for row in rows if row["key"]["S"].startswith("lease/"))
        self.repair(row | {attribute: {"N": "1"}})
        return row

    def repair(self, row: dict[str, Any]) -> None:
        """Put a row."""
        self._dynamodb.put_item(TableName=TABLE, Item=row)


@contextmanager
def leases(drill: Drill) -> Iterator[LeaseRows]:
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    cluster = drill.here.cluster
    region = cluster.arn.split(":")[3]
    dynamodb = boto3.client("dynamodb", endpoint_url=cluster.leases_url, region_name=region, **keys)
    try:
        yield LeaseRows(dynamodb)
    finally:
        dynamodb.close()


@contextmanager
def drilled() -> Iterator[Drill]:
    with (
        tempfile.TemporaryDirectory() as folder,
        exporter() as told,
        observed(Path(folder), quick_rules(), shards=4) as here,
    ):
        here.others["elsewhere"] = told.address
        yield Drill(here, told)
