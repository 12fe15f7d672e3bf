"""Figure (i): what an invocation of the Lambda function takes, and one of a plain handler.

Lambda bills time, not work. Up to 1,769 MB of memory a function has so much of a processor as it
has of these, so its work takes the longer the less memory it has, and costs the same. Waiting for
Nakadi costs the less.
"""

import subprocess
import sys
from dataclasses import dataclass

from tests.benchmarks.measured.invocations import MEMORY_MB
from tests.benchmarks.stubs.server_process import server_process

TURNS = 3
"""How often each is measured; the best counts."""

BATCHES = (10, 100, 1_000)
HANDLERS = ("function", "plain")

PROCESSOR_MB = 1_769
"""Memory with which a function has one whole processor (AWS Lambda Developer Guide)."""

MB_PER_GB = 1_024
NAKADI_MILLISECONDS = 60.0
"""How long Nakadi takes to answer, in the costs of the README."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What an invocation takes; `cpu` is in milliseconds."""

    batch: int
    cpu: float

    @property
    def per_cpu_second(self) -> float:
        """Records a second of CPU time."""
        return self.batch / self.cpu * 1e3

    @property
    def gb_seconds(self) -> float:
        """What Lambda bills, with 512 MB, and a Nakadi as slow as `NAKADI_MILLISECONDS` says."""
        milliseconds = NAKADI_MILLISECONDS + self.cpu * PROCESSOR_MB / MEMORY_MB
        return milliseconds / 1e3 * MEMORY_MB / MB_PER_GB


def measure_invocations() -> dict[str, list[Invocation]]:
    """By handler, an invocation of each batch."""
    found: dict[str, list[Invocation]] = {name: [] for name in HANDLERS}
    with server_process("sink") as sink:
        for batch in BATCHES:
            turns = [
                {name: _measure(name, batch, sink.url) for name in HANDLERS} for _ in range(TURNS)
            ]
            for name, each in found.items():
                each.append(Invocation(batch, min(turn[name] for turn in turns)))
    return found


def _measure(name: str, batch: int, nakadi_url: str) -> float:
    module = "tests.benchmarks.measured.invocations"
    command = [sys.executable, "-m", module, name, str(batch), nakadi_url]
    done = subprocess.run(command, check=True, capture_output=True)
    return float(done.stderr)
