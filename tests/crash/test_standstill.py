"""Workers that live and cannot prove it: stopped, or without their lease table.

Both are watched by proxies of their own before Nakadi: what they send is seen where it arrives.
"""

import signal
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.crash.fronts import Fronts, fronts
from tests.crash.installation import installation, read_by, settled, until_shared
from tests.crash.trouble import Exchange, Kind, Trouble
from tests.integration.cluster import Cluster, WorkerProcess
from tests.integration.load import Load

STOPPED_SECONDS = 16.0
FENCE_SECONDS = 8.0  # lease duration less margin, counted from the last good heartbeat's sending
SEND_SECONDS = 5.0  # from a test of the fence to the proxy's clock, on a slow machine


@dataclass
class Watched:
    """A worker behind proxies. `before` is how many leases it took before it fell silent."""

    worker: WorkerProcess
    front: Fronts
    before: int = 0

    def took(self) -> list[float]:
        """When it took leases, so far (CLOCK_MONOTONIC)."""
        lines = self.worker.events("lease_taken")
        offset = time.time() - time.monotonic()
        return [datetime.fromisoformat(line["timestamp"]).timestamp() - offset for line in lines]

    def again(self) -> float:
        """When it took the first lease after it fell silent."""
        return self.took()[self.before]

    def sent(self, since: float) -> list[Exchange]:
        """What it sent to Nakadi."""
        return self.front.nakadi.since(since)

    def until_back(self, cluster: Cluster) -> None:
        """Wait until it has taken a lease and sent something since."""
        cluster.until(lambda: len(self.took()) > self.before, "it takes a lease again")
        cluster.until(lambda: self.sent(self.again()) != [], "it sends again")


def test_one_stopped_and_one_without_lease_table_send_nothing_until_they_hold_leases_again(
    tmp_path: Path,
) -> None:
    with installation(tmp_path) as cluster, fronts(cluster) as one, fronts(cluster) as two:
        sleeper = Watched(cluster.start(**one.settings), one)
        cut_off = Watched(cluster.start(**two.settings), two)
        third = cluster.start()
        with Load(cluster):
            until_shared(cluster)
            for silent in (sleeper, cut_off):
                silent.before = len(silent.took())

            stopped = time.monotonic()
            sleeper.worker.process.send_signal(signal.SIGSTOP)
            cut_off.front.leases.set(Trouble(Kind.BLACKHOLE))
            cluster.until(lambda: len(set(read_by([third]))) == 12, "the third took over")
            cluster.until(lambda: time.monotonic() - stopped > STOPPED_SECONDS, "long enough")
            assert cut_off.sent(since=stopped + FENCE_SECONDS + SEND_SECONDS) == []

            woken = time.monotonic()
            sleeper.worker.process.send_signal(signal.SIGCONT)
            cut_off.front.leases.set(None)
            for silent in (sleeper, cut_off):
                silent.until_back(cluster)
            stale = [sent for sent in sleeper.sent(since=woken) if sent.started < sleeper.again()]
            # It may have stood still between its test of the fence and a request's last byte.
            assert len(stale) <= 1
        verdict = settled(cluster)
        for silent in (sleeper, cut_off):
            assert len(silent.worker.events("lease_lost")) == 4
    assert (verdict.lost, verdict.out_of_order) == (0, 0)
