"""Print which seed and checker find each planted fault: `python -m tests.simulation.mutants`."""

import argparse
import sys
from collections.abc import Sequence

from tests.simulation.mutants.hunt import MUTANTS, SEEDS, hunt


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="at most, for each fault")
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--only", default="", help="faults whose name contains this")
    asked = parser.parse_args(arguments)
    missed = 0
    print(f"{'fault':<42} {'seed':>6}  {'checker':<18} seconds")
    for mutant in MUTANTS:
        if asked.only not in getattr(mutant, "__name__", ""):
            continue
        found = hunt(mutant, asked.seeds, asked.processes)
        missed += found.seed is None
        seed = "none" if found.seed is None else str(found.seed)
        print(f"{found.name:<42} {seed:>6}  {found.check:<18} {found.seconds:.0f}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
