"""Seek, pause and resume on real workers, seen from the command line and from Nakadi's log."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest

from tests.crash.installation import until_shared
from tests.integration.cluster import CONSUMER, EVENT_TYPE, UNHURRIED, Cluster, cluster
from tests.integration.consumer_process import run_consumer
from tests.patience import PATIENCE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.slow

SHARDS = 4
RECORDS = 400


@pytest.fixture
def settings() -> dict[str, str]:
    return UNHURRIED


@pytest.fixture
def fleet(tmp_path: Path, settings: dict[str, str]) -> Iterator[Cluster]:
    """Two workers, four shards, everything published."""
    with cluster(tmp_path, shards=SHARDS) as made:
        made.settings.update(settings)
        made.start()
        made.start()
        until_shared(made)  # nothing is handed over any more
        made.fill(RECORDS)
        made.until_settled()
        yield made


def consumer(made: Cluster, *words: str, code: int = 0) -> str:
    answer = run_consumer(words, made.environment())
    assert answer.returncode == code, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


def states(made: Cluster) -> list[str]:
    running = [worker for worker in made.workers if worker.process.poll() is None]
    shards: list[str] = []
    for worker in running:
        try:
            shards += [shard["state"] for shard in worker.status()["shards"]]
        except (LookupError, OSError):
            continue
    return shards


def leases(made: Cluster) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(consumer(made, "leases", "--json"))
    return found


def published(made: Cluster) -> Counter[str]:
    log: list[dict[str, Any]] = made.nakadi.log(EVENT_TYPE, fields="eid")
    return Counter(event["eid"] for event in log)


@pytest.mark.parametrize("settings", [{}], ids=["a lease lasts 10 s"])
def test_a_pause_survives_the_death_of_an_owner_until_it_is_resumed(fleet: Cluster) -> None:
    said = consumer(fleet, "pause", code=2)
    assert "--yes" in said
    assert set(states(fleet)) == {"reading"}
    assert "dry run: nothing was changed" in consumer(fleet, "pause", "--dry-run")
    assert "applied to every shard" in consumer(fleet, "pause", "--yes")
    assert states(fleet) == ["paused"] * SHARDS
    assert all(lease["paused"] for lease in leases(fleet))

    fleet.fill(RECORDS)
    fleet.workers[0].stop(signal.SIGKILL)
    fleet.until(lambda: states(fleet) == ["paused"] * SHARDS, "the other one has them, paused")
    worker = fleet.workers[1]
    assert worker.get("/livez")[0] == 200
    fleet.until(lambda: worker.metric("consumer_iterator_age_seconds") > 6, "the age grows")
    assert fleet.verdict().lost == RECORDS

    fleet.start()
    assert "is read again" in consumer(fleet, "resume")
    verdict = fleet.until_settled()
    assert (verdict.lost, verdict.duplicated, verdict.out_of_order) == (0, 0, 0)


def interrupted(made: Cluster, *words: str) -> int:
    """Exit code of a command that is asked to stop while it waits for a typed yes."""
    ours, terminal = pty.openpty()
    with subprocess.Popen(
        [CONSUMER, *words],
        env=made.environment(),
        stdin=terminal,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    ) as asking:
        assert asking.stderr is not None
        assert asking.stderr.read(6) == f"{words[0]}?".encode()
        asking.send_signal(signal.SIGINT)
        code = asking.wait(PATIENCE)
    os.close(ours)
    os.close(terminal)
    return code


def test_one_shard_is_paused_and_its_neighbours_are_not(fleet: Cluster) -> None:
    shard = leases(fleet)[0]["shard_id"]
    assert interrupted(fleet, "pause", "--shard", shard) == 130
    assert set(states(fleet)) == {"reading"}
    consumer(fleet, "pause", "--shard", shard, "--yes")
    assert sorted(states(fleet)) == ["paused"] + ["reading"] * (SHARDS - 1)
    assert "wanted one that" in consumer(fleet, "resume", "--shard", "absent", code=2)
    consumer(fleet, "resume", "--shard", shard)
    fleet.until(lambda: set(states(fleet)) == {"reading"}, "it is read on")


def test_a_seek_repeats_everything_once_and_in_order(fleet: Cluster) -> None:
    said = consumer(fleet, "seek", "--to", "trim_horizon", "--dry-run")
    assert said.count("repeats everything that the stream still holds") == SHARDS
    assert "change.stream and change.sequence" in said
    assert sum(published(fleet).values()) == RECORDS
    consumer(fleet, "seek", "--to", "TRIM_HORIZON", "--yes")
    fleet.until(lambda: sum(published(fleet).values()) == 2 * RECORDS, "all came twice")
    assert set(published(fleet).values()) == {2}
    assert consumer(fleet, "gaps", "--json").startswith("[]\n")
    last: dict[str, str] = {}
    newest: dict[str, str] = {}
    log: list[dict[str, Any]] = fleet.nakadi.log(EVENT_TYPE, fields="key,sequence")
    for event in log:
        key, sequence = event["key"], event["sequence"]
        last[key], newest[key] = sequence, max(newest.get(key, ""), sequence)
    assert last == newest  # every key ends with its newest state
    assert "applied to every shard" in consumer(fleet, "seek", "--to", "latest", "--yes")
    gaps = json.loads(consumer(fleet, "gaps", "--json"))
    assert [gap["reason"] for gap in gaps] == ["seek"] * SHARDS
    fleet.fill(RECORDS)
    fleet.until_settled()


def test_a_seek_without_any_worker_is_obeyed_by_the_next_and_leaves_gaps(fleet: Cluster) -> None:
    for worker in fleet.workers:
        worker.stop()
    fleet.fill(RECORDS)
    shard = leases(fleet)[0]
    number = int(shard["checkpoint"]) + 10**30
    wrong = ("seek", "--to", str(number), "--shard", shard["shard_id"], "--yes")
    assert "--to" in consumer(fleet, *wrong, code=2)
    said = consumer(fleet, "seek", "--to", "2020-01-01T00:00:00Z", "--yes")
    assert f"applied to 0 of {SHARDS} shards; {SHARDS} without an owner" in said
    truth = {s["shard"]: s["records"] for s in fleet.truth()[0]["shards"]}
    records = truth[shard["shard_id"]]
    target = records[-2]["sequence"]
    consumer(fleet, "seek", "--to", target, "--shard", shard["shard_id"], "--yes")
    fleet.start()
    fleet.until(lambda: len(states(fleet)) == SHARDS, "all shards held")
    others = sum(len(of) for name, of in truth.items() if name != shard["shard_id"])
    old = Counter(str(event["eid"]) for event in fleet.nakadi.log(EVENT_TYPE, fields="eid"))
    assert old
    wanted = RECORDS + others + 1
    fleet.until(lambda: sum(published(fleet).values()) == wanted, "repeated, but for the skip")
    (gap,) = json.loads(consumer(fleet, "gaps", "--json"))
    assert (gap["shard_id"], gap["reason"]) == (shard["shard_id"], "seek")
    assert int(gap["to"]) == int(records[-1]["sequence"])
