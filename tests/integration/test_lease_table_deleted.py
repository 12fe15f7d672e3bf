"""The lease table is deleted under a worker: made again soon, or not at all."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from consumer.runtime.leases.heartbeat import GONE_SECONDS
from tests.integration.cluster import Cluster, WorkerProcess, cluster

LEASES = "consumer-leases"
# How late a heartbeat may be on a busy machine.
SLOW_SECONDS = 15


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, shards=2) as made:
        made.settings = {"CONSUMER_SCAN_SECONDS": "0.5", "CONSUMER_CHECKPOINT_SECONDS": "1"}
        yield made


@pytest.fixture
def dynamodb(one: Cluster) -> Iterator[Any]:
    region = one.arn.split(":")[3]
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = boto3.client("dynamodb", endpoint_url=one.leases_url, region_name=region, **keys)
    yield client
    client.close()


def readiness(worker: WorkerProcess) -> tuple[int, str]:
    try:
        return worker.get("/readyz")
    except (LookupError, OSError):
        return 0, ""


def lose_table(made: Cluster, dynamodb: Any, worker: WorkerProcess) -> dict[str, Any]:
    """Delete the table, then write changes; what a table like it is made of."""
    table = dynamodb.describe_table(TableName=LEASES)["Table"]
    told = len(worker.events("lease_table_gone"))
    dynamodb.delete_table(TableName=LEASES)
    made.until(lambda: readiness(worker)[0] == 503, "it is not ready")
    made.until(lambda: worker.shards() == [], "it has given up its shards")
    gone = "lease_table_gone"
    made.until(lambda: len(worker.events(gone)) > told, "a heartbeat has found it gone")
    made.fill(20)
    status, words = readiness(worker)
    assert (status, worker.get("/livez")[0]) == (503, 200)
    assert "the lease table does not exist: lease_table_gone" in words
    assert f"no table '{LEASES}': ResourceNotFoundException" in words
    condition = worker.status()["condition"]
    assert condition["state"] == "lease_table"
    assert "lease_table_gone create the table again" in condition["action"]
    return {name: table[name] for name in ("KeySchema", "AttributeDefinitions")}


def test_a_worker_goes_on_with_a_table_that_is_made_again_and_ends_without_one(
    one: Cluster, dynamodb: Any
) -> None:
    worker = one.start()
    one.until(lambda: readiness(worker)[0] == 200, "ready")
    assert [line["level"] for line in worker.events("stream_started")] == ["warning"]
    one.fill(100)
    one.until_settled()

    like = lose_table(one, dynamodb, worker)
    dynamodb.create_table(TableName=LEASES, BillingMode="PAY_PER_REQUEST", **like)
    one.until(lambda: readiness(worker)[0] == 200, "ready again")
    assert one.until_settled().out_of_order == 0
    assert [line["level"] for line in worker.events("stream_started")] == ["warning"] * 2

    lost = time.monotonic()
    lose_table(one, dynamodb, worker)
    code = worker.process.wait()
    assert time.monotonic() - lost > GONE_SECONDS - 1
    assert code == 1
    assert one.verdict().lost == 20, "nothing is published without a table"
    last = worker.log.read_text().splitlines()[-1]
    said = re.match(r"consumer: the lease table has not existed for (\d+) s, so", last)
    assert said is not None
    assert GONE_SECONDS <= int(said[1]) <= GONE_SECONDS + SLOW_SECONDS
    gone = worker.events("lease_table_gone")
    assert [line["level"] for line in gone] == ["error"] * 2
    loud = worker.events("heartbeat_failed") + worker.events("peers_unread")
    assert loud == [], "the table is told of once, and not call by call"

    again = one.start()
    verdict = one.until_settled()
    assert (verdict.changes, verdict.out_of_order) == (140, 0)
    assert len(again.events("lease_table_created")) == 1
    (started,) = again.events("stream_started")
    assert "checkpoints of an earlier one are gone" in started["action"]
