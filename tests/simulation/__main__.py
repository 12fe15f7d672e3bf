"""Run seeds: `python -m tests.simulation --seeds 20000`, `--seed 7 --trace`, `--shrink`.

Branch coverage of what runs in them: `coverage run --branch --source=consumer.core,consumer.runtime
-m tests.simulation --seeds 300 --processes 1`, then `coverage report`.
"""

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.run import Totals, run_many, run_seed, shrink
from tests.simulation.world import Result

PROGRESS = 500


def main(arguments: Sequence[str]) -> int:
    asked = _parser().parse_args(arguments)
    if asked.seed is not None:
        return _one(asked)
    totals = run_many(range(asked.start, asked.start + asked.seeds), asked.processes, _progress)
    print(totals)
    print("faults:", ", ".join(f"{name} {n}" for name, n in sorted(totals.faults.items())))
    print("kinds: ", ", ".join(f"{name} {n}" for name, n in sorted(totals.kinds.items())))
    return 1 if totals.failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="how many")
    parser.add_argument("--start", type=int, default=0, help="the first of them")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--seed", type=int, help="only this one")
    parser.add_argument("--trace", action="store_true", help="of it, who did what when")
    parser.add_argument("--shard", help="only what concerns this shard (or its last digits)")
    parser.add_argument("--shrink", action="store_true", help="look for the smallest failing form")
    parser.add_argument("--without", nargs="*", default=[], help="kinds of trouble to leave out")
    parser.add_argument("--size", type=float, default=1.0, help="part of its workload")
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
        report(result, asked.without, asked.size)
    return 1 if result.violations else 0


def _progress(totals: Totals, result: Result) -> None:
    if result.violations:
        report(result)
    if totals.seeds % PROGRESS == 0:
        print(totals, flush=True)


def report(result: Result, without: Sequence[str] = (), size: float = 1.0) -> None:
    """A failed seed, and the command that repeats it."""
    print(f"seed {result.seed} failed:")
    for violation in result.violations[:3]:
        print(f"  {str(violation)[:600]}")
    left_out = f" --without {' '.join(without)}" if without else ""
    part = f" --size {size}" if size != 1.0 else ""
    command = f"python -m tests.simulation --seed {result.seed}{left_out}{part} --trace"
    print(f"  again: {command}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
