"""The simulator must be able to fail: faults planted in the real code are found.

`python -m tests.simulation.mutants` looks for all of them.
"""

from collections.abc import Callable
from multiprocessing import get_context

import pytest

from tests.simulation.mutants import leases, reading
from tests.simulation.mutants.hunt import MUTANTS, hunt
from tests.simulation.run import run_quietly, run_seed, shrink
from tests.simulation.world import Result

WANTED = (
    (reading.checkpoint_ahead_of_ack, "checkpoint"),
    (reading.closing_records_dropped, "shard end"),
    (reading.second_of_a_key_passes_its_head, "order"),
    (leases.self_fence_skipped, "fence"),
    (leases.take_without_checking_the_counter, "one sender"),
    (leases.child_before_parent, "parent first"),
)


@pytest.mark.slow
@pytest.mark.parametrize(("mutant", "check"), WANTED)
def test_a_planted_fault_is_found(mutant: Callable[[], None], check: str) -> None:
    found = hunt(mutant, seeds=200)
    assert found.seed is not None
    assert found.check == check
    assert found.as_promised


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: str(mutant.__name__))
def test_what_a_fault_replaces_is_there(mutant: Callable[[], None]) -> None:
    planting = get_context("fork").Process(target=mutant)
    planting.start()
    planting.join()
    assert planting.exitcode == 0


def test_what_a_fault_needs_is_all_that_shrinking_leaves() -> None:
    with get_context("fork").Pool(1, initializer=reading.closing_records_dropped) as pool:
        whole, least, (without, size) = pool.apply(_shrink_first)
    assert len(least.violations) > 0
    assert least.violations[0].check == whole.violations[0].check
    assert set(least.kinds) == set(whole.kinds) - set(without)
    assert set(least.kinds) & {"split", "rotate", "restream", "drop", "unfit"}  # these close shards
    assert len(least.kinds) <= 3 < len(whole.kinds)
    assert size < 1.0
    assert least.records < whole.records


def _shrink_first() -> tuple[Result, Result, tuple[list[str], float]]:
    """The first seed that fails, whole and shrunk."""
    whole = next(result for result in map(run_quietly, range(100)) if result.violations)
    least = shrink(whole.seed)
    return whole, run_seed(whole.seed, *least)[0], least
