"""Each dependency in turn is cut, delayed and silent under load, for all workers at once."""

import time
from pathlib import Path

from tests.crash.fronts import fronts
from tests.crash.installation import (
    QUICK,
    installation,
    oldest,
    ready,
    settled,
    until_shared,
)
from tests.crash.trouble import Kind, Trouble
from tests.integration.load import Load

# A heartbeat waits 1 s, and the fence passes after 3: without lease table everything stops.
TROUBLES = (
    ("streams", Trouble(Kind.CUT), 1.0),
    ("streams", Trouble(Kind.DELAY, seconds=1.0), 1.5),
    ("nakadi", Trouble(Kind.CUT), 1.0),
    ("nakadi", Trouble(Kind.DELAY, seconds=3.0), 2.0),  # lands after the client has given up
    ("nakadi", Trouble(Kind.LOSE, probability=0.5), 1.5),
    ("leases", Trouble(Kind.CUT), 1.0),
    ("leases", Trouble(Kind.DELAY, seconds=0.5), 1.5),
    ("leases", Trouble(Kind.BLACKHOLE), 4.0),
)
"""What goes wrong, and for how many seconds."""


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
