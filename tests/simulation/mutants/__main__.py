"""Print which seed and checker find each planted fault: `python -m tests.simulation.mutants`."""

import argparse
import os
import sys
from collections.abc import Sequence

from tests.simulation.mutants.hunt import MUTANTS, SEEDS, Found, hunt
from tests.simulation.run import command


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation.mutants", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="at most, for each fault")
    parser.add_argument("--processes", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--only", default="", help="faults whose name contains this")
    asked = parser.parse_args(arguments)
    wrong = 0
    print(f"{'fault':<42} {'seed':>6}  {'checker':<18} seconds  again")
    for mutant in MUTANTS:
        if asked.only not in getattr(mutant, "__name__", ""):
            continue
        found = hunt(mutant, asked.seeds, asked.processes)
        wrong += not found.as_promised
        print(_line(found), flush=True)
    return 1 if wrong else 0


def _line(found: Found) -> str:
    seed = "none" if found.seed is None else str(found.seed)
    text = f"{found.name:<42} {seed:>6}  {found.check:<18} {found.seconds:>7.0f}"
    if found.seed is None:
        return text
    if not found.as_promised:
        text += "  (a row of docs/guarantees.md names this fault, but not this checker)"
    return f"{text}  {command(found.seed, planted=found.name.replace(' ', '_'))}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
