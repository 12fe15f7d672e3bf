"""A process begins a snapshot, joins one, or is told in what it differs."""

import pytest
from msgspec.structs import replace

from consumer.core.republish.snapshot import Counts, Mode, Snapshot, Terms
from consumer.errors import Misconfigured
from consumer.runtime.republish.patient_store import PatientStore
from consumer.runtime.republish.snapshot_start import join_or_begin
from tests.twins.lease_table import Fault
from tests.twins.snapshot_store import SnapshotRows, SnapshotStoreTwin
from tests.twins.virtual_time import HalfChance, VirtualClock, run

TERMS = Terms(16, None, ("a.b",), "f1", "2026-11-01T09:30:00.000", Mode.ONCE)
FIRST = Snapshot("orders", "first", "run-1", TERMS, 1.5)
SECOND = replace(FIRST, run="run-2", started_at=2.5)


def join(
    rows: SnapshotRows,
    wanted: Snapshot,
    *faults: Fault | None,
    any_segments: bool = False,
    again: bool = False,
) -> Snapshot:
    async def main() -> Snapshot:
        twin = SnapshotStoreTwin(rows)
        twin.faults.extend(faults)
        store = PatientStore(twin, VirtualClock(), HalfChance())
        return await join_or_begin(store, wanted, any_segments=any_segments, again=again)

    return run(main)


def test_the_first_begins_and_the_second_joins() -> None:
    rows = SnapshotRows()
    assert join(rows, FIRST) == FIRST
    assert join(rows, SECOND) == FIRST


@pytest.mark.parametrize("fault", [Fault.LOST_BEFORE, Fault.LOST_AFTER, Fault.HANGS, Fault.LATE])
def test_it_is_begun_once_whatever_becomes_of_the_answer(fault: Fault) -> None:
    rows = SnapshotRows()
    assert join(rows, FIRST, fault, fault) == FIRST
    assert rows.snapshots == {FIRST.key: FIRST}


def test_other_terms_are_refused_with_both() -> None:
    rows = SnapshotRows()
    join(rows, FIRST)
    other = replace(SECOND, terms=replace(TERMS, segments=8, stream="b"))
    with pytest.raises(Misconfigured, match=r"segments: 16 there, 8 here; stream: 2026.* there, b"):
        join(rows, other)
    assert rows.snapshots == {FIRST.key: FIRST}


def test_who_asks_for_no_number_of_segments_takes_that_of_the_row() -> None:
    rows = SnapshotRows()
    join(rows, FIRST)
    other = replace(SECOND, terms=replace(TERMS, segments=32))
    assert join(rows, other, any_segments=True) == FIRST
    with pytest.raises(Misconfigured, match="filter"):
        join(rows, replace(other, terms=replace(TERMS, filter="{}")), any_segments=True)


def test_one_that_has_ended_is_joined_or_begun_anew() -> None:
    ended = FIRST.ended(9.5, Counts(1, 0, 1, 0))
    rows = SnapshotRows({FIRST.key: ended})
    assert join(rows, SECOND) == ended
    wider = replace(SECOND, terms=replace(TERMS, segments=32))
    assert join(rows, wider, again=True) == wider
    third = replace(wider, run="run-3")
    assert join(rows, third, again=True) == wider  # it goes on, and has not ended
