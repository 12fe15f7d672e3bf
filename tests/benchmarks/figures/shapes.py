"""Figure (k): transcoding, by what a table holds, on one core.

From the bytes of a page to the events, as figure (a), for each workload. With `--against` the code
in another directory is measured in turns with this one, in processes of their own, so that what
disturbs one of them disturbs the other, too.

python -m tests.benchmarks.figures.shapes [--against DIRECTORY] [--only NAME]
"""

import argparse
import json
import os
import pickle
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.benchmarks.workloads import WORKLOADS, key_names, pages_of

TURNS = 3
"""How often each directory is measured; the best counts."""

_HERE = Path(__file__).parents[3]
_MEASURED = Path(__file__).parents[1] / "measured"


@dataclass(frozen=True, slots=True)
class Cost:
    """What the records of a workload take."""

    microseconds: float  # a record, of CPU time
    record_bytes: float

    @property
    def per_second(self) -> float:
        """Records per CPU-second."""
        return 1e6 / self.microseconds

    @property
    def megabytes(self) -> float:
        """Megabytes of pages per CPU-second."""
        return self.record_bytes / self.microseconds


def measure_shapes(
    names: Sequence[str] = WORKLOADS, directories: Sequence[Path] = (_HERE,)
) -> list[dict[str, Cost]]:
    """The cost of each workload, with the code in each of the directories."""
    found: list[dict[str, Cost]] = [{} for _ in directories]
    for name in names:
        with _given(name) as (given, size):
            for _ in range(TURNS):
                for directory, costs in zip(directories, found, strict=True):
                    cost = Cost(_microseconds("transcoding.py", directory, given), size)
                    before = costs.get(name, cost)
                    costs[name] = min(before, cost, key=lambda each: each.microseconds)
    return found


def measure_handler(name: str) -> Cost:
    """The cost of a workload in the loop of a plain Lambda handler."""
    with _given(name) as (given, size):
        return Cost(_microseconds("handler.py", _HERE, given), size)


@contextmanager
def _given(name: str) -> Iterator[tuple[Path, float]]:
    """A file with the pages of a workload, and the bytes of a record."""
    bodies = pages_of(name)
    records = sum(body.count(b'"eventID"') for body in bodies)
    with tempfile.TemporaryDirectory() as folder:
        given = Path(folder) / "workload"
        given.write_bytes(pickle.dumps((key_names(name), bodies)))
        yield given, sum(map(len, bodies)) / records


def _microseconds(script: str, directory: Path, given: Path) -> float:
    environment: Mapping[str, str] = {**os.environ, "PYTHONPATH": str(directory)}
    command = [sys.executable, str(_MEASURED / script), str(given)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, cwd="/")
    return float(json.loads(done.stdout))


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path, help="a directory with another version")
    parser.add_argument("--only", nargs="*", default=WORKLOADS, choices=WORKLOADS)
    asked = parser.parse_args()
    directories = [_HERE] if asked.against is None else [_HERE, asked.against.resolve()]
    for name in asked.only:
        this, *others = (costs[name] for costs in measure_shapes([name], directories))
        line = f"{name:28} {this.microseconds:9.2f} µs {this.per_second:8,.0f}/s"
        line += f" {this.megabytes:7.1f} MB/s"
        handler = measure_handler(name)
        line += f"   a plain handler {handler.microseconds:9.0f} µs,"
        line += f" {handler.microseconds / this.microseconds:.0f} times as slow"
        for other in others:
            ratio = other.microseconds / this.microseconds
            line += f"   before {other.microseconds:9.2f} µs, {ratio:.2f} times as fast"
        print(line, flush=True)


if __name__ == "__main__":
    main()
