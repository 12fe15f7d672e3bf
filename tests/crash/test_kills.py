"""Workers that are killed under load: others take over in time, nothing is lost or overtaken."""

from pathlib import Path

from tests.crash.installation import QUICK, installation, settled, until_shared
from tests.crash.load import Load
from tests.crash.takeover import kill, percentile


def test_whoever_is_killed_is_replaced_in_time_and_nothing_is_lost(tmp_path: Path) -> None:
    with installation(tmp_path, QUICK) as cluster:
        first, second, _ = (cluster.start() for _ in range(3))
        with Load(cluster):
            until_shared(cluster)
            takeovers = [kill(cluster, first), kill(cluster, second)]
        verdict = settled(cluster)
    assert [takeover.shards for takeover in takeovers] == [4, 6]
    assert max(takeover.seconds for takeover in takeovers) < 10, takeovers  # lease duration 5 s
    assert (verdict.lost, verdict.out_of_order) == (0, 0)


def test_percentiles_are_those_of_the_nearest_rank() -> None:
    times = [float(n) for n in range(1, 21)]
    assert (percentile(times, 50), percentile(times, 99), percentile([7.0], 50)) == (10, 20, 7)
