"""Lease rows that version 0.1.0 wrote are read by this one as what they meant.

The rows were written by three workers of that version, one killed, while shards split and records
were trimmed; the second application had started at LATEST. They are never to be edited: a version
that needs other rows must read these as well.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from consumer.adapters.lease_table.gap_rows import gap_of
from consumer.adapters.lease_table.lease_rows import lease_of, worker_of
from consumer.adapters.lease_table.stream_rows import stream_of
from consumer.core.leases.checkpoint import LATEST, SHARD_END
from consumer.core.leases.lease import Gap, Lease, StreamRow

ROWS = Path(__file__).with_name("lease-rows-0.1.0.json")
OPEN = "shardId-00000001795268301219-b0609172"
FINISHED = "shardId-00000001795268301219-1629765e"


def rows(application: str, kind: str) -> list[Any]:
    found = json.loads(ROWS.read_text())
    return [
        row
        for row in found
        if row["application"]["S"] == application and row["key"]["S"].startswith(kind + "/")
    ]


def lease(application: str, shard: str) -> Lease:
    (found,) = (lease_of(r) for r in rows(application, "lease") if r["key"]["S"].endswith(shard))
    return found


def the_stream(application: str) -> StreamRow:
    (found,) = (stream_of(row) for row in rows(application, "stream"))
    assert isinstance(found, StreamRow)
    assert found.unreadable is None
    return found


def test_leases_keep_owner_counter_checkpoint_and_parent() -> None:
    held = lease("order-store.order", OPEN)
    assert (held.owner, held.counter, held.checkpoint) == (
        "vm-89f605804649",
        2,
        "11200000000569149964077",
    )
    finished = lease("order-store.order", FINISHED)
    assert (finished.owner, finished.checkpoint, finished.finished) == (None, SHARD_END, True)
    (child,) = (lease_of(r) for r in rows("order-store.order", "lease") if "parentShardId" in r)
    assert child.parent_shard_id == FINISHED
    assert not child.parent_gone


def test_a_lease_that_began_at_latest_keeps_its_iterator() -> None:
    assert lease("at-latest", OPEN).start_iterator
    assert lease("at-latest", OPEN).checkpoint != LATEST


def test_the_start_of_a_stream_is_remembered() -> None:
    stream = the_stream("at-latest")
    assert (stream.start_position, stream.bootstrapped, stream.schema_version) == (LATEST, True, 1)
    assert stream.started_at == pytest.approx(1795268311, abs=60)
    stream = the_stream("order-store.order")
    assert (stream.start_position, stream.started_at) == ("TRIM_HORIZON", None)


def test_workers_and_gaps() -> None:
    workers = [worker_of(row) for row in rows("order-store.order", "worker")]
    assert {worker.worker_id for worker in workers} == {"vm-42c9ceb8686e", "vm-89f605804649"}
    gaps = [gap_of(row) for row in rows("order-store.order", "gap")]
    assert {(gap.from_, gap.to, gap.reason) for gap in gaps if isinstance(gap, Gap)} == {
        ("7400000000675836444375", "10500000000933197325421", "trimmed"),
        ("7100000000779095758063", "10800000000105957909377", "trimmed"),
    }
