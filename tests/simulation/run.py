"""Runs of seeds: one, many on all cores, and the smallest form of one that fails."""

import gc
import signal
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import get_context
from types import FrameType

from tests.simulation.scenario import draw
from tests.simulation.world import Result, World

CPU_SECONDS = 240
"""A run that needs more does not end. Not real seconds: a machine may be busy, or asleep."""

SIZES = (0.02, 0.1, 0.25, 0.5)
"""Parts of the workload that shrinking tries, smallest first."""

CHUNK = 5


class _EndlessError(BaseException):
    """Raised by the timer; nothing in the consumer may catch it."""


def _ran_out(_number: int, _frame: FrameType | None) -> None:
    raise _EndlessError


def run_seed(
    seed: int, without: Collection[str] = (), size: float = 1.0, *, keep: bool = False
) -> tuple[Result, World]:
    """One run."""
    world = World(draw(seed, without, size), keep=keep)
    before = signal.signal(signal.SIGPROF, _ran_out)
    signal.setitimer(signal.ITIMER_PROF, CPU_SECONDS)
    try:
        return world.run(), world
    except _EndlessError:
        world.checks.fail("ends", f"still runs after {CPU_SECONDS} s of CPU")
        return world.result(), world
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)


def run_quietly(seed: int) -> Result:
    """For a pool."""
    return run_seed(seed)[0]


def command(
    seed: int, without: Collection[str] = (), size: float = 1.0, planted: str | None = None
) -> str:
    """What repeats a run, with its trace."""
    fault = f" --plant {planted}" if planted else ""
    left_out = f" --without {' '.join(without)}" if without else ""
    part = f" --size {size}" if size != 1.0 else ""
    return f"python -m tests.simulation --seed {seed}{fault}{left_out}{part} --trace"


@dataclass
class Totals:
    """Of many runs; `seconds` and `records` are virtual, `elapsed` is real."""

    seeds: int = 0
    seconds: float = 0.0
    records: int = 0
    elapsed: float = 0.0
    faults: Counter[str] = field(default_factory=Counter)
    happened: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    failed: list[Result] = field(default_factory=list)

    def add(self, result: Result) -> None:
        self.seeds += 1
        self.seconds += result.seconds
        self.records += result.records
        self.faults.update(result.faults)
        self.happened.update(result.happened)
        self.kinds.update(result.kinds)
        if result.violations:
            self.failed.append(result)

    def __str__(self) -> str:
        each = max(self.elapsed, 1e-9)
        return (
            f"{self.seeds} seeds, {len(self.failed)} failed, {self.elapsed:.0f} s;"
            f" {self.seconds / each:,.0f} virtual s and {self.records / each:,.0f} records a second"
        )


def run_many(
    seeds: Iterable[int],
    processes: int,
    seen: Callable[[Totals, Result], None] | None = None,
    work: Callable[[int], Result] = run_quietly,
) -> Totals:
    """Run all on `processes` processes; `seen` is told of each."""
    totals, began = Totals(), time.monotonic()
    for result in _results(seeds, processes, work):
        totals.add(result)
        totals.elapsed = time.monotonic() - began
        if seen is not None:
            seen(totals, result)
    return totals


def _results(
    seeds: Iterable[int], processes: int, work: Callable[[int], Result]
) -> Iterator[Result]:
    if processes <= 1:
        yield from map(work, seeds)
        return
    gc.collect()
    gc.freeze()  # what is loaded is not looked at again after each run
    with get_context("fork").Pool(processes) as pool:
        yield from pool.imap_unordered(work, seeds, CHUNK)
    gc.unfreeze()


def shrink(seed: int) -> tuple[list[str], float]:
    """Kinds that can be left out, and the part of the workload that is enough, to fail alike."""
    result, _ = run_seed(seed)
    if not result.violations:
        return [], 1.0
    check = result.violations[0].check

    def fails(without: Collection[str], size: float) -> bool:
        violations = run_seed(seed, without, size)[0].violations
        return bool(violations) and violations[0].check == check

    without: list[str] = []
    smaller = True
    while smaller:  # what was needed beside another kind may not be needed without it
        smaller = False
        for kind in result.kinds:
            if kind not in without and fails([*without, kind], 1.0):
                without.append(kind)
                smaller = True
    size = next((size for size in SIZES if fails(without, size)), 1.0)
    return without, size
