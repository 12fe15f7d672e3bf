"""A deployment under load while shards split: no duplicate, and every worker exits 0."""

from functools import partial
from pathlib import Path

from tests.crash.installation import installation, ready, settled, until_shared
from tests.integration.cluster import UNHURRIED
from tests.integration.load import Load

DRAIN_SECONDS = 25.0  # CONSUMER_DRAIN_SECONDS


def test_a_rolling_restart_while_shards_split_makes_no_duplicate(tmp_path: Path) -> None:
    with installation(tmp_path, UNHURRIED) as cluster:
        old = [cluster.start() for _ in range(3)]
        with Load(cluster):
            until_shared(cluster)
            for worker in old:
                new = cluster.start()
                cluster.until(partial(ready, new), "the new one is ready")
                cluster.streams.control("split", shard="random", children=2)
                cluster.streams.control("rotate", shard="random")
                code, seconds = worker.stop()
                assert code == 0
                assert seconds < DRAIN_SECONDS  # it does not wait for the end of its time
        verdict = settled(cluster)
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
