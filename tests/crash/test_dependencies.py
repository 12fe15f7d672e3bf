"""Each dependency in turn is cut, delayed and silent under load, for all workers at once."""

import json
import time
from functools import partial
from pathlib import Path

import boto3
import pytest

from tests.crash.fronts import fronts
from tests.crash.installation import (
    QUICK,
    SHARDS,
    installation,
    oldest,
    ready,
    settled,
    until_shared,
)
from tests.crash.proxy import Proxy
from tests.crash.trouble import Kind, Trouble
from tests.integration.cluster import Cluster
from tests.integration.load import Load

# The fence passes after 8 s without a heartbeat: without lease table everything stops.
TROUBLES = (
    ("streams", Trouble(Kind.CUT), 1.0),
    ("streams", Trouble(Kind.DELAY, seconds=1.0), 1.5),
    ("nakadi", Trouble(Kind.CUT), 1.0),
    ("nakadi", Trouble(Kind.DELAY, seconds=3.0), 2.0),  # lands after the client has given up
    ("nakadi", Trouble(Kind.LOSE, probability=0.5), 1.5),
    ("leases", Trouble(Kind.CUT), 1.0),
    ("leases", Trouble(Kind.DELAY, seconds=0.5), 1.5),
    ("leases", Trouble(Kind.BLACKHOLE), 1.0),  # and on until the fences have passed
)
"""What goes wrong, and for how many seconds."""


def struck(proxy: Proxy, hits: int) -> bool:
    return proxy.hits() > hits


def all_fenced(cluster: Cluster) -> bool:
    return all("fence_passed" in worker.log.read_text() for worker in cluster.workers)


def caught_up(cluster: Cluster, ended: float) -> bool:
    """Whether nothing is unsettled that was written before the trouble ended."""
    return oldest(cluster.workers) < time.monotonic() - ended


def test_each_dependency_fails_in_turn_and_everything_flows_again(tmp_path: Path) -> None:
    impatient = {**QUICK, "CONSUMER_PUBLISH_TIMEOUT_SECONDS": "2"}
    with installation(tmp_path, impatient) as cluster, fronts(cluster) as front:
        for _ in range(3):
            cluster.start(**front.settings)
        with Load(cluster):
            until_shared(cluster)
            for name, trouble, seconds in TROUBLES:
                proxy = front.before(name)
                hits = proxy.hits()
                proxy.set(trouble)
                cluster.until(partial(struck, proxy, hits), f"{name} met {trouble}")
                time.sleep(seconds)
                if trouble.kind is Kind.BLACKHOLE:
                    cluster.until(partial(all_fenced, cluster), "the fence of every worker passed")
                proxy.set(None)
                ended = time.monotonic()
                cluster.until(partial(caught_up, cluster, ended), f"{name} after {trouble}")
            until_shared(cluster)
        verdict = settled(cluster)
        cluster.until(lambda: all(map(ready, cluster.workers)), "all are ready")
    assert (verdict.lost, verdict.out_of_order) == (0, 0)


@pytest.mark.parametrize("kind", [Kind.CUT, Kind.BLACKHOLE])
def test_a_queue_that_fails_holds_up_the_keys_of_its_letters_and_nobody_else(
    tmp_path: Path, kind: Kind
) -> None:
    with installation(tmp_path, QUICK) as cluster, fronts(cluster) as front:
        cluster.nakadi.add_fault(kind="reject", marker="o-00000007")
        front.queue.set(Trouble(kind))
        worker = cluster.start(**front.settings)
        cluster.until(lambda: len(worker.shards()) == SHARDS, "all held")
        cluster.fill(100, keys=10)
        cluster.until(lambda: cluster.verdict().lost == 10, "all but one key are published")
        cluster.until(lambda: front.queue.hits() > 0, "the letter was tried")
        cluster.until(lambda: oldest([worker]) > 1, "what waits for the queue shows")
        assert cluster.verdict().lost == 10
        front.queue.set(None)
        cluster.until(lambda: worker.status()["queue"]["events"] == 0, "all are settled")
        keys = {json.loads(letter)["event"]["data"]["id"] for letter in letters(cluster)}
    assert keys == {"o-00000007"}


def letters(cluster: Cluster) -> list[str]:
    """Bodies of all that is in the queue, repeats left out."""
    region = cluster.arn.split(":")[3]
    sqs = boto3.client(
        "sqs",
        endpoint_url=cluster.aws.endpoint_url,
        region_name=region,
        aws_access_key_id="local",
        aws_secret_access_key="local",  # noqa: S106 - the embedded AWS takes any
    )
    found: dict[str, str] = {}
    while messages := sqs.receive_message(
        QueueUrl=cluster.queue_url, MaxNumberOfMessages=10, VisibilityTimeout=60
    ).get("Messages"):
        found |= {json.loads(m["Body"])["eid"]: m["Body"] for m in messages}
    sqs.close()
    assert len(found) == 10
    return list(found.values())
