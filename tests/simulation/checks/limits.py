"""How much a worker asks of the services at a time, as the settings and docs promise."""

from collections import Counter
from collections.abc import Callable, Sequence

from tests.simulation.loop import Node, SimLoop
from tests.simulation.scenario import Scenario

LANES = 4
"""Requests beside the publish concurrency, once Nakadi has said that partitions fail."""

LISTING_SECONDS = 0.5
"""From one page of a listing to the next."""

STALL_SECONDS = 1.0
"""After a standstill two pages may follow each other: the first was due long ago."""


class Limits:
    """Requests to Nakadi, and pages of listings."""

    def __init__(self, loop: SimLoop, scenario: Scenario, fail: Callable[[str, str], None]) -> None:
        self._loop = loop
        self._limits = scenario.limits
        partitions_fail = scenario.has("nakadi_partial") or scenario.has("nakadi_down")
        self._slots = scenario.limits.concurrency + (LANES if partitions_fail else 0)
        self.fail = fail
        self._flying: Counter[tuple[str, str]] = Counter()  # worker, event type
        self._listed: dict[str, float] = {}

    def sending(self, worker: str, event_type: str, bodies: Sequence[bytes]) -> None:
        """A request leaves."""
        self._flying[worker, event_type] += 1
        flying = self._flying[worker, event_type]
        if flying > self._slots:
            self.fail("limits", f"{worker} has {flying} requests in flight to {event_type}")
        if len(bodies) > self._limits.batch_events:
            self.fail("limits", f"{worker} sends {len(bodies)} events at once")
        if sum(map(len, bodies)) > self._limits.batch_bytes and len(bodies) > 1:
            self.fail("limits", f"{worker} sends {sum(map(len, bodies))} bytes at once")

    def ended(self, worker: str, event_type: str) -> None:
        """A request has ended for its sender."""
        self._flying[worker, event_type] -= 1

    def listing(self, node: Node) -> None:
        """A page of a listing is asked for."""
        now = self._loop.now
        before = self._listed.get(node.name)
        self._listed[node.name] = now
        stalled = now - node.went_on_at < STALL_SECONDS
        if before is not None and now - before < LISTING_SECONDS - 1e-6 and not stalled:
            self.fail("limits", f"{node.name} lists after {now - before:.3f} s")
