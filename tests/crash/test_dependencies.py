"""Each dependency in turn is cut, delayed and silent under load, for all workers at once."""

import signal
import time
from pathlib import Path

import pytest

from localdev.aws.dynamodb_local import jar
from tests.crash.fronts import fronts
from tests.crash.installation import (
    LEASE_TABLES,
    QUICK,
    all_held,
    installation,
    oldest,
    ready,
    settled,
    until_shared,
)
from tests.crash.load import Load
from tests.crash.trouble import Kind, Trouble

# A heartbeat waits 1 s, and the fence passes after 3: without lease table everything stops.
TROUBLES = (
    ("streams", Trouble(Kind.CUT), 1.0),
    ("streams", Trouble(Kind.DELAY, seconds=1.0), 2.0),
    ("nakadi", Trouble(Kind.CUT), 1.0),
    ("nakadi", Trouble(Kind.DELAY, seconds=3.0), 2.0),  # lands after the client has given up
    ("nakadi", Trouble(Kind.LOSE, probability=0.5), 2.0),
    ("leases", Trouble(Kind.CUT), 1.0),
    ("leases", Trouble(Kind.DELAY, seconds=0.5), 2.0),
    ("leases", Trouble(Kind.BLACKHOLE), 4.0),
)
"""What goes wrong, and for how many seconds."""


@pytest.fixture(params=LEASE_TABLES)
def lease_table(request: pytest.FixtureRequest) -> str:
    if request.param == "dynamodb-local" and jar() is None:
        pytest.skip("DynamoDB Local: no Java, or no jar below .run/dynamodb-local")
    return str(request.param)


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
                time.sleep(seconds)
                proxy.set(None)
                assert proxy.hits() > hits
                cluster.until(lambda: oldest(cluster.workers) < 3, 40, f"{name} after {trouble}")
            until_shared(cluster)
        verdict = settled(cluster)
        assert all(ready(worker) for worker in cluster.workers)
        assert all("fence_passed" in worker.log.read_text() for worker in cluster.workers)
    assert (verdict.lost, verdict.out_of_order) == (0, 0)


def test_answers_of_the_lease_table_are_lost_at_random_while_shards_split_and_a_worker_dies(
    tmp_path: Path, lease_table: str
) -> None:
    with (
        installation(tmp_path, QUICK, lease_table=lease_table) as cluster,
        fronts(cluster) as front,
    ):
        first, *_ = [cluster.start(**front.settings) for _ in range(3)]
        with Load(cluster):
            until_shared(cluster)
            front.leases.set(Trouble(Kind.LOSE, probability=0.2))
            split, rotated, *_ = first.shards()
            first.stop(signal.SIGKILL)
            # What they still hold waits for a new owner, and their children must wait for it.
            cluster.streams.control("split", shard=split, children=2)
            cluster.streams.control("rotate", shard=rotated)
            cluster.until(lambda: all_held(cluster), 40, "all shards taken over")
            cluster.until(lambda: front.leases.hits() >= 20, 30, "answers are lost")
            front.leases.set(None)
        verdict = settled(cluster)
        unresolved = [len(w.events("lease_write_unresolved")) for w in cluster.workers]
    assert sum(unresolved) > 0
    assert (verdict.lost, verdict.out_of_order) == (0, 0)
