"""Two workers with different settings, as during a roll-out: each is judged by its own."""

import signal
import time
from pathlib import Path

from tests.crash.installation import QUICK, alive, installation, settled, until_shared
from tests.integration.cluster import EVENT_TYPE, Cluster
from tests.integration.load import Load

SLOW = {"CONSUMER_LEASE_DURATION_SECONDS": "60", "CONSUMER_HEARTBEAT_SECONDS": "15"}
FAST = {"CONSUMER_LEASE_DURATION_SECONDS": "10", "CONSUMER_HEARTBEAT_SECONDS": "2"}
BESIDE_SECONDS = 20.0
"""Two lease durations of the fast one, and more than a heartbeat interval of the slow one."""


def stale(cluster: Cluster) -> list[str]:
    """The keys of which an older event came last, repeats included."""
    last: dict[str, int] = {}
    highest: dict[str, int] = {}
    for event in cluster.nakadi.log(EVENT_TYPE, fields="eid,key,sequence"):
        key, sequence = str(event["key"]), int(str(event["sequence"]))
        last[key] = sequence
        highest[key] = max(highest.get(key, 0), sequence)
    return [key for key, sequence in last.items() if sequence != highest[key]]


def test_workers_with_other_timings_take_nothing_from_each_other_while_they_live(
    tmp_path: Path,
) -> None:
    with installation(tmp_path, QUICK, shards=4) as cluster:
        slow = cluster.start(**SLOW)
        fast = cluster.start(**FAST)
        with Load(cluster):
            until_shared(cluster)
            held = set(slow.shards())
            time.sleep(BESIDE_SECONDS)
            assert set(slow.shards()) == held, "nobody took it for dead between its heartbeats"
            fast.process.send_signal(signal.SIGKILL)
            fast.process.wait()
            cluster.until(lambda: len(slow.shards()) == 4, "it takes over after 10 s, not after 60")
            assert alive(cluster) == [slow]
        verdict = settled(cluster)
        assert stale(cluster) == []
    assert slow.events("lease_lost") == []
    assert (verdict.lost, verdict.out_of_order) == (0, 0)
