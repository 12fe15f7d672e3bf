"""The simulator must be able to fail: faults planted in the real code are found.

`python -m tests.simulation.mutants` looks for all of them.
"""

from collections.abc import Callable
from multiprocessing import get_context

import pytest

from tests.simulation.mutants import leases, reading
from tests.simulation.mutants.hunt import MUTANTS, hunt

WANTED = (
    (reading.checkpoint_ahead_of_ack, "checkpoint"),
    (reading.closing_records_dropped, "shard end"),
    (reading.second_of_a_key_passes_its_head, "order"),
    (leases.self_fence_skipped, "fence"),
    (leases.take_without_checking_the_counter, "one sender"),
    (leases.child_before_parent, "order"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "check"), WANTED)
def test_a_planted_fault_is_found(mutant: Callable[[], None], check: str) -> None:
    found = hunt(mutant, seeds=200)
    assert found.seed is not None
    assert found.check == check


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.__name__))
def test_what_a_fault_replaces_is_there(mutant: Callable[[], None]) -> None:
    planting = get_context("fork").Process(target=mutant)
    planting.start()
    planting.join()
    assert planting.exitcode == 0
