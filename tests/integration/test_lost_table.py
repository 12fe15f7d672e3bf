"""A deleted table, and a newest stream that cannot be read, on real sockets."""

import json
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from tests.integration.cluster import TABLE, Cluster, WorkerProcess, cluster
from tests.integration.consumer_process import run_consumer
from tests.integration.tables_front import tables_front

WAITING = 200


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Cluster]:
    """Workers are given the table. Short intervals: streams are listed often."""
    with cluster(tmp_path) as made, tables_front(made) as front:
        made.settings = {
            "AWS_ENDPOINT_URL_DYNAMODB": front,
            "CONSUMER_STREAM_ARN": "",
            "CONSUMER_TABLE": TABLE,
            "CONSUMER_DISCOVERY_SECONDS": "2",
        }
        yield made


def begin(made: Cluster) -> WorkerProcess:
    """A worker that has published what there is; then changes that wait for Nakadi."""
    worker = made.start()
    made.fill(50)
    made.until_settled()
    made.nakadi.add_fault(kind="status", status=503, count=None)
    made.fill(WAITING)
    made.until(lambda: bool(worker.events("publishing_backs_off")), "changes wait")
    return worker


def delete_table(made: Cluster) -> None:
    region = made.arn.split(":")[3]
    keys = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
    client = boto3.client("dynamodb", endpoint_url=made.streams.url, region_name=region, **keys)
    client.delete_table(TableName=TABLE)
    client.close()


def told(worker: WorkerProcess, event: str, reason: str) -> bool:
    return any(line["reason"] == reason for line in worker.events(event))


def test_what_waits_when_the_table_is_deleted_is_published_after_a_restart_too(
    one: Cluster,
) -> None:
    worker = begin(one)
    delete_table(one)
    one.until(lambda: told(worker, "successor_unknown", "table_gone"), "told of")
    assert worker.process.poll() is None
    worker.stop()
    again = one.start()
    one.until(lambda: bool(again.events("stream_doubtful")), "it starts all the same")
    one.nakadi.remove_faults()
    verdict = one.until_settled()
    assert (verdict.changes, verdict.out_of_order) == (50 + WAITING, 0)
    check = run_consumer(["check"], one.environment())
    assert check.returncode == 0, check.stdout
    assert "known streams are read on" in check.stdout
    one.until(lambda: told(again, "successor_unknown", "table_gone"), "told of again")
    assert again.process.poll() is None
    code, words = refusal(one, CONSUMER_APPLICATION="another")
    assert code == 2
    assert f"no table '{TABLE}'" in words


def refusal(made: Cluster, **settings: str) -> tuple[int, str]:
    done = run_consumer(["run"], {k: v for k, v in made.environment(**settings).items() if v})
    return done.returncode, done.stderr


def test_a_newest_stream_without_images_is_passed_by_once_there_is_another(one: Cluster) -> None:
    worker = begin(one)
    one.streams.control("stream", table=TABLE, enabled=False)
    one.streams.control("stream", table=TABLE, enabled=True, view_type="KEYS_ONLY")
    one.fill(10)
    one.until(lambda: told(worker, "stream_unfit", "view_type"), "told of")
    worker.stop()
    again = one.start()
    one.until(lambda: bool(again.events("stream_doubtful")), "it starts all the same")
    one.nakadi.remove_faults()
    one.until(lambda: one.verdict().lost == 10, "the older stream is read")
    one.streams.control("stream", table=TABLE, enabled=False)
    one.streams.control("stream", table=TABLE, enabled=True, view_type="NEW_AND_OLD_IMAGES")
    one.fill(30)
    one.until(lambda: one.verdict().events >= 50 + WAITING + 30, "the mended stream is read")
    verdict = one.verdict()
    assert (verdict.changes, verdict.lost) == (50 + WAITING + 10 + 30, 10)
    assert again.process.poll() is None
    gaps = json.loads(run_consumer(["gaps", "--json"], one.environment()).stdout)
    first, unfit, _ = one.truth()
    assert sorted((gap["stream"], gap["shard_id"], gap["reason"]) for gap in gaps) == [
        (f"{TABLE}/{first['label']}", "*", "between_streams"),
        (f"{TABLE}/{unfit['label']}", "*", "between_streams"),
        (f"{TABLE}/{unfit['label']}", "*", "view_type"),
    ]
