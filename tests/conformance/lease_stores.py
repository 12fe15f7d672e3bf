"""The implementations of the LeaseStore port that the suite runs on."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_table import LeaseTable
from consumer.ports import LeaseStore
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
    yield LeaseTableTwin(TableInMemory(), delay=0.0)
