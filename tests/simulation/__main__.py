"""Run seeds: `python -m tests.simulation --seeds 20000`, `--seed 7 --trace`, `--shrink`.

Branch coverage of what runs in them: `coverage run --branch --source=consumer.core,consumer.runtime
-m tests.simulation --seeds 300 --processes 1`, then `coverage report`.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from functools import partial

from tests.simulation.mutants.hunt import MUTANTS
from tests.simulation.run import Totals, command, run_many, run_seed, shrink
from tests.simulation.world import Result

PROGRESS = 500


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    if asked.plant is not None:
        next(mutant for mutant in MUTANTS if mutant.__name__ == asked.plant)()
    if asked.seed is not None:
        return _one(asked)
    seeds = range(asked.start, asked.start + asked.seeds)
    totals = run_many(seeds, asked.processes, partial(_progress, asked.plant))
    print(totals)
    print("faults:", ", ".join(f"{name} {n}" for name, n in sorted(totals.faults.items())))
    print("happened:", ", ".join(f"{name} {n}" for name, n in sorted(totals.happened.items())))
    print("kinds:", ", ".join(f"{name} {n}" for name, n in sorted(totals.kinds.items())))
    return 1 if totals.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="of it, who did what when")
    parser.add_argument("--shard", help="only what concerns this shard (or its last digits)")
    parser.add_argument("--shrink", action="store_true", help="look for the smallest failing form")
    parser.add_argument("--without", nargs="*", default=[], help="kinds of trouble to leave out")
    parser.add_argument("--size", type=float, default=1.0, help="part of its workload")
    faults = [mutant.__name__ for mutant in MUTANTS]
    parser.add_argument("--plant", choices=faults, metavar="NAME", help="a fault in the code first")
    return parser


def _one(asked: argparse.Namespace) -> int:
    if asked.shrink:
        asked.without, asked.size = shrink(asked.seed)
    result, world = run_seed(asked.seed, asked.without, asked.size, keep=asked.trace)
    if asked.trace:
        print(world.trace.show(asked.shard))
    print(f"seed {result.seed}: {result.seconds:.1f} virtual s, {result.records} records,", end=" ")
    print(f"digest {result.digest}\nkinds: {' '.join(result.kinds)}")
    if result.violations:
        report(result, asked.without, asked.size, asked.plant)
    return 1 if result.violations else 0


def _progress(planted: str | None, totals: Totals, result: Result) -> None:
    if result.violations:
        report(result, planted=planted)
    if totals.seeds % PROGRESS == 0:
        print(totals, flush=True)


def report(
    result: Result,
    without: Sequence[str] = (),
    size: float = 1.0,
    planted: str | None = None,
) -> None:
    """A failed seed, and the command that repeats it."""
    print(f"seed {result.seed} failed:")
    for violation in result.violations[:3]:
        print(f"  {str(violation)[:600]}")
    print(f"  again: {command(result.seed, without, size, planted)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
