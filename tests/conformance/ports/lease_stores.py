"""The implementations of the LeaseStore port that the suite runs on."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from typing import Any, cast
from unittest.mock import create_autospec

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.ports import LeaseStore
from tests.conformance.ports.simulated import Simulated, simulated
from tests.simulation.checks.calls import Calls
from tests.simulation.checks.checkers import Checks
from tests.simulation.twins.table_twin import SimLeaseTable
from tests.twins.lease_table import LeaseTable as TableInMemory
from tests.twins.lease_table import LeaseTableTwin

_applications = count()


@asynccontextmanager
async def on_server(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[LeaseTable]:
    """A lease table of an application that no other test uses."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    usual: dict[str, Any] = {
        "table": "conformance-leases",
        "application": f"application-{next(_applications)}",
        "request_seconds": 60.0,  # the servers are slow when they wake up, and not under test
    }
    async with Aws() as aws:
        table = LeaseTable(await aws.dynamodb(4), SystemClock(), **usual | settings)
        await table.ensure_table(create=True)
        yield table


@asynccontextmanager
async def in_memory() -> AsyncIterator[LeaseStore]:
    """The twin of the unit tests."""
    yield LeaseTableTwin(TableInMemory(), delay=0.0)


PAGE_ROWS = 7
"""So few that reading all leases takes many pages."""


@contextmanager
def in_simulation() -> Iterator[LeaseStore]:
    """The twin of the simulation, whose checks are left out: they know only their own shards."""
    with simulated() as world:
        checks = create_autospec(Checks, instance=True)
        checks.now, checks.calls = 0.0, Calls()
        twin = SimLeaseTable(TableInMemory(), world.wire, checks, 10.0, PAGE_ROWS)
        yield cast("LeaseStore", OnItsLoop(world, twin))


class OnItsLoop:
    """Every call runs on the simulation's loop."""

    def __init__(self, world: Simulated, twin: SimLeaseTable) -> None:
        self._world = world
        self._twin = twin

    def __getattr__(self, name: str) -> Callable[..., Awaitable[object]]:
        method = getattr(self._twin, name)

        async def call(*arguments: object, **named: object) -> object:
            return await self._world.run(method(*arguments, **named))

        return call
