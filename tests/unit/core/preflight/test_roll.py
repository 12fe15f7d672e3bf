"""Which worker is the first of a roll."""

from __future__ import annotations

import pytest

from consumer.core.leases.lease import Worker
from consumer.core.preflight.roll import begins_roll


def worker(version: str, unreadable: str | None = None) -> Worker:
    return Worker(
        worker_id=f"w-{version}",
        heartbeat=1,
        changes=0,
        streams=(),
        able=True,
        draining=False,
        seen_at=0.0,
        started_at=0.0,
        host="h",
        version=version,
        unreadable=unreadable,
    )


@pytest.mark.parametrize(
    ("versions", "begins"),
    [([], False), (["1"], True), (["1", "1", "3"], True), (["2"], False), (["1", "2"], False)],
)
def test_the_first_of_its_version_beside_others_begins_a_roll(
    versions: list[str], *, begins: bool
) -> None:
    assert begins_roll("2", map(worker, versions)) is begins


def test_a_row_that_cannot_be_read_says_nothing() -> None:
    assert not begins_roll("2", [worker("", "version")])
