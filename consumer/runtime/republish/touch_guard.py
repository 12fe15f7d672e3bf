"""The guard of a touch: it looks whether every worker that lives leaves the attribute out.

Ownership: it reads the worker rows of one application, and writes nothing. What the rows mean is
decided by the rules by which workers judge each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.core.leases.peers import Peers
from consumer.core.republish.touch_terms import readiness

if TYPE_CHECKING:
    from consumer.core.limits import LeaseTiming
    from consumer.core.republish.touch_terms import Readiness
    from consumer.ports import Clock, LeaseStore

LOOK_SECONDS: Final = 0.5
"""Between two reads at the start."""

WATCH_SECONDS: Final = 2.0
"""Between two reads while items are touched: a worker may start meanwhile."""

SLACK_SECONDS: Final = 2.0
"""How much longer than the longest lease duration is waited for a heartbeat."""

NOBODY: Final = (
    "no worker is alive that reads the table: nobody publishes the change, and whether the next one"
    " leaves the attribute out is not known"
)


class TouchGuard:
    """Looks at the workers of an application that reads `table`.

    `timing` is that of its settings.
    """

    def __init__(
        self, store: LeaseStore, clock: Clock, timing: LeaseTiming, attribute: str, table: str
    ) -> None:
        self._store = store
        self._clock = clock
        self._peers = Peers("", timing)
        self._attribute = attribute
        self._table = table
        self._looked_at = float("-inf")

    async def first(self) -> str | None:
        """Return why items must not be touched, None if they may be. Raise Retryable.

        It waits until each row belongs to a worker that is alive and leaves the attribute out, or
        is proven dead: for about a lease duration at most.
        """
        began_at = self._clock.now()
        while True:
            found = await self._read()
            if found.refusal is not None:
                return found.refusal
            if found.ready:
                return None
            waited = self._clock.now() - began_at
            if waited > self._peers.longest_lease_duration + SLACK_SECONDS:
                return NOBODY
            await self._clock.sleep(LOOK_SECONDS)

    async def look(self) -> str | None:
        """Return why no more may be touched, None if they may be. Raise Retryable.

        The rows are read now and then. One that does not leave the attribute out is waited for.
        """
        if self._clock.now() - self._looked_at < WATCH_SECONDS:
            return None
        return await self.first()

    async def _read(self) -> Readiness:
        sent_at = self._clock.now()
        workers, _ = await self._store.read_peers()
        self._looked_at = self._clock.now()
        self._peers.observe(sent_at, self._looked_at, workers, ())
        return readiness(self._peers, self._attribute, self._table)
