"""Workers that come, go, die and stand still: shards are shared, nothing is lost or doubled."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cluster import UNHURRIED, Cluster, cluster
from tests.integration.load import Load

SHARDS = 12
DRAIN_SECONDS = 25.0  # CONSUMER_DRAIN_SECONDS


@pytest.fixture
def twelve(tmp_path: Path) -> Iterator[Cluster]:
    with cluster(tmp_path, shards=SHARDS) as made:
        yield made


def counts(cluster: Cluster) -> list[int]:
    return sorted(len(w.shards()) for w in cluster.workers if w.process.poll() is None)


def test_two_workers_that_join_one_share_its_shards_without_a_duplicate(twelve: Cluster) -> None:
    twelve.settings.update(UNHURRIED)
    twelve.start()
    with Load(twelve):
        twelve.until(lambda: counts(twelve) == [12], "one worker holds all")
        twelve.start()
        twelve.start()
        twelve.until(lambda: counts(twelve) == [4, 4, 4], "4/4/4")
    verdict = twelve.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)


def test_sigterm_hands_over_without_a_duplicate_and_exits_0(twelve: Cluster) -> None:
    twelve.settings.update(UNHURRIED)
    first, _ = twelve.start(), twelve.start()
    twelve.until(lambda: counts(twelve) == [6, 6], "6/6")
    with Load(twelve):
        time.sleep(2)
        code, seconds = first.stop()
        assert code == 0
        assert seconds < DRAIN_SECONDS  # it does not wait for the end of its time
        twelve.until(lambda: counts(twelve) == [12], "the other holds all")
    verdict = twelve.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)


def test_a_killed_worker_is_replaced(twelve: Cluster) -> None:
    """In 15 s: that is shown in virtual time (tests/unit/runtime) and measured by `make kills`."""
    first, _, _ = twelve.start(), twelve.start(), twelve.start()
    twelve.until(lambda: counts(twelve) == [4, 4, 4], "4/4/4")
    with Load(twelve):
        time.sleep(2)
        first.stop(signal.SIGKILL)
        twelve.until(lambda: counts(twelve) == [6, 6], "6/6 after the kill")
    verdict = twelve.until_settled()
    assert (verdict.lost, verdict.out_of_order) == (0, 0)


def test_a_worker_that_stood_still_publishes_nothing_before_it_holds_a_lease_again(
    twelve: Cluster,
) -> None:
    sleeper, other = twelve.start(), twelve.start()
    twelve.until(lambda: counts(twelve) == [6, 6], "6/6")
    with Load(twelve):
        time.sleep(1)
        before = len(sleeper.events("lease_taken"))
        sleeper.process.send_signal(signal.SIGSTOP)
        twelve.until(lambda: len(other.shards()) == 12, "the other took over")
        sleeper.process.send_signal(signal.SIGCONT)
        twelve.until(lambda: counts(twelve) == [6, 6], "6/6 again")
    verdict = twelve.until_settled()
    # What was in flight when it was stopped may be stored twice; nothing newer was overtaken.
    assert (verdict.lost, verdict.out_of_order) == (0, 0)
    taken_again = [entry["timestamp"] for entry in sleeper.events("lease_taken")][before:]
    lost = [entry["timestamp"] for entry in sleeper.events("lease_lost")]
    assert len(lost) == 6
    assert min(taken_again) > max(lost)


def test_sigterm_while_nakadi_is_down_exits_in_time_and_loses_nothing(twelve: Cluster) -> None:
    twelve.settings.update(UNHURRIED)
    first = twelve.start()
    twelve.until(lambda: counts(twelve) == [12], "one worker holds all")
    twelve.nakadi.add_fault(kind="status", status=503)
    twelve.fill(500)
    twelve.until(lambda: first.status()["queue"]["events"] == 500, "all of it is read")
    code, seconds = first.stop()
    assert code == 0
    assert seconds < 2 * DRAIN_SECONDS  # its drain, and what a slow machine takes beside
    twelve.nakadi.remove_faults()
    twelve.start()
    verdict = twelve.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)


def test_shards_that_split_while_workers_come_and_go(twelve: Cluster) -> None:
    twelve.settings.update(UNHURRIED)
    workers = [twelve.start(), twelve.start()]
    twelve.until(lambda: counts(twelve) == [6, 6], "6/6")
    with Load(twelve):
        for _ in range(3):
            twelve.streams.control("split", shard="random", children=2)
            twelve.streams.control("rotate", shard="random")
            time.sleep(1)
        workers[0].stop()
        twelve.start()
        twelve.streams.control("rotate", shard="all")
        time.sleep(3)
    verdict = twelve.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)
