"""Seeds that must hold, on all cores, and the same trace for the same seed."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from consumer.core.shard.pace import Pace
from tests.simulation.run import Totals, command, run_many, run_seed
from tests.simulation.scenario import KINDS, draw

ROOT = Path(__file__).parents[2]
SEEDS = 200
TWICE = range(1, 13)


@pytest.mark.slow
def test_nothing_is_violated() -> None:
    totals = run_many(range(SEEDS), min(4, os.cpu_count() or 1))
    print(totals)
    assert _failures(totals) == []
    assert set(totals.kinds) == set(KINDS)


def test_the_same_seed_gives_the_same_trace() -> None:
    first, second = _digests("1"), _digests("77")
    assert len(set(first)) == len(TWICE)
    assert first == second


def test_shards_are_read_in_a_hurry_while_a_peer_drains(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not only in the service, or no seed would see what the haste does."""
    hurried: set[bool] = set()
    original = Pace.pause

    def pause(self: Pace, *page: Any) -> float:
        hurried.add(self._polling.hurry)
        return original(self, *page)

    monkeypatch.setattr(Pace, "pause", pause)
    for seed in [seed for seed in range(40) if "sigterm" in draw(seed).kinds]:
        run_seed(seed)
        if True in hurried:
            break
    assert hurried == {False, True}


def test_a_kind_left_out_shifts_no_other() -> None:
    seed = next(seed for seed in range(100) if {"crash", "split"} <= draw(seed).kinds)
    whole, less = draw(seed), draw(seed, without=["crash"])
    assert less.kinds == whole.kinds - {"crash"}
    assert [(h.at, h.kind) for h in less.happenings] == [
        (h.at, h.kind) for h in whole.happenings if h.kind != "crash"
    ]
    assert less.workload == whole.workload


def _failures(totals: Totals) -> list[str]:
    return [f"{result.violations[0]}; again: {command(result.seed)}" for result in totals.failed]


def _digests(hash_seed: str) -> list[str]:
    code = (
        "from tests.simulation.run import run_seed\n"
        f"for seed in range({TWICE.start}, {TWICE.stop}): print(run_seed(seed)[0].digest)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()
