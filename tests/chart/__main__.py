"""`make chart`: every proof of the chart, with what it saw; 1 if one fails.

`--record VERSION` writes down what the values of a release lead to, for upgrades from it.
"""

import argparse
import sys
import time

import yaml

from tests.chart.bench import Bench
from tests.chart.proofs.all_proofs import PROOFS, Proof
from tests.chart.proofs.cluster_proofs import RELEASED, identities, identities_of
from tests.chart.rendering import HelmRefused, render
from tests.chart.tools import Missing, tools


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.chart", description=__doc__)
    parser.add_argument("--record", metavar="VERSION")
    arguments = parser.parse_args()
    try:
        bench = Bench(tools())
    except Missing as error:
        print(error, file=sys.stderr)
        return 1
    if arguments.record:
        record(bench, arguments.record)
        return 0
    print("; ".join(bench.tools.versions()))
    return sum([not proved(bench, proof) for proof in PROOFS]) > 0


def proved(bench: Bench, proof: Proof) -> bool:
    """Print one line."""
    name, started = proof.__name__.replace("_", " "), time.monotonic()
    try:
        saw, well = proof(bench), True
    except (AssertionError, HelmRefused) as error:
        saw, well = f"{error}", False
    took = time.monotonic() - started
    print(f"{'ok  ' if well else 'FAIL'}  {took:5.1f} s  {name:<36}  {saw}")
    return well


def record(bench: Bench, version: str) -> None:
    values = RELEASED / f"{version}-values.yaml"
    found = identities(render(bench.helm, bench.chart, values))
    identities_of(values).write_text(yaml.safe_dump(found, width=120))


if __name__ == "__main__":
    sys.exit(main())
