"""Whether what workers report of themselves is true, looked at from outside as a probe does."""

import asyncio
from typing import TYPE_CHECKING

from consumer.core.shard.shard_state import ShardState

if TYPE_CHECKING:
    from tests.simulation.cluster import Process
    from tests.simulation.world import World

EVERY = 0.5

NEEDED = ("put_worker", "read_peers", "read_leases")
"""What a worker that is ready has done at least once."""

AT_THE_DOOR = ("http_401", "http_403", "http_404", "foreign_403", "foreign_404")
"""Why an event type takes nothing at all."""

FAILURES = 5
"""A shard that has failed so often in a row is not reported as read. The service allows itself
fewer."""


class HonestyCheck:
    """It looks at every worker that runs, also at one that stands still."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def watch(self) -> None:
        """Look now and then until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            await self._world.day.wait()
            for process in self._world.cluster.alive:
                self._look(process)

    def _look(self, process: "Process") -> None:
        checks = self._world.checks
        if process.worker.unready() is None:
            for call in NEEDED:
                if not checks.calls.was_answered(process.name, call):
                    checks.fail("ready", f"{process.name} is ready, but {call} was never answered")
        self._look_at_refusals(process)
        for shard in process.worker.coordinator.shards:
            view = shard.view()
            failures = checks.calls.failures[process.name, view.shard_id]
            if view.state is ShardState.READING and failures >= FAILURES:
                text = f"{process.name} shows {view.shard_id} as reading after {failures} failures"
                checks.fail("failing", text)

    def _look_at_refusals(self, process: "Process") -> None:
        """An event type that is refused withholds readiness if nothing was ever stored in it.

        What others stored is known once the rows were read.
        """
        checks, worker = self._world.checks, process.worker
        withheld = {each.name for each in worker.refused()}
        for each in worker.publishing.event_types:
            at_the_door = each.flow.reason in AT_THE_DOOR
            if at_the_door and each.name not in checks.stored_types | withheld:
                checks.fail(
                    "ready", f"{process.name} is ready, but {each.name} never took anything"
                )
            known = each.name in worker.purpose.stored_before
            if each.name in withheld and (known or not at_the_door):
                checks.fail(
                    "ready", f"{process.name} is not ready for an old outage of {each.name}"
                )
