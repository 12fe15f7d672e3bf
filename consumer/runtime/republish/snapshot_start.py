"""The start of a process of a snapshot: the id is begun, or the process joins those that have it.

Rule: a process that joins takes the terms of the row. What was asked for here and differs is an
error, not an option that is ignored.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.errors import Misconfigured, Unreachable

if TYPE_CHECKING:
    from consumer.core.republish.snapshot import Snapshot
    from consumer.snapshot_ports import SnapshotStore

ATTEMPTS = 5
"""Reads of a row that changes between a read and a write, before it is given up."""


async def join_or_begin(
    store: SnapshotStore, wanted: Snapshot, *, any_segments: bool, again: bool
) -> Snapshot:
    """Return the row of the snapshot that this process takes part in.

    `any_segments`: the number of segments was not asked for, so that of a row that exists is taken.
    `again`: a snapshot that has ended is begun anew. Raise Misconfigured if the row has other
    terms. The store answers definitely (`PatientStore`).
    """
    for _ in range(ATTEMPTS):
        there = await store.read_snapshot(wanted.table, wanted.id)
        if there is None or (again and there.ended_at is not None):
            there = await store.begin_snapshot(there, wanted)
        if there is not None:
            _agree(there, wanted, any_segments=any_segments)
            return there
    raise Unreachable(f"lease table: the row snapshot/{wanted.key} is deleted again and again")


def _agree(there: Snapshot, wanted: Snapshot, *, any_segments: bool) -> None:
    terms = wanted.terms
    if any_segments:
        terms = replace(terms, segments=there.terms.segments)
    differences = there.terms.differences(terms)
    if differences:
        raise Misconfigured(
            f"--id {there.id}: it was begun on other terms ({'; '.join(differences)}); give the"
            " same ones, or another id"
        )
