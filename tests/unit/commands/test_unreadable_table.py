"""Commands that publish again, and a table that cannot be read: a summary or a line."""

from __future__ import annotations

import asyncio
import io
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from consumer.adapters.clock import AwsClock, SystemClock
from consumer.adapters.exports.changed_keys import ChangedKeys
from consumer.commands.repair import publishing
from consumer.commands.republish import republish
from consumer.commands.republish.refused_keys import RefusedKeys
from consumer.commands.republish.republishing import Rates, Reach, opened
from consumer.commands.republish.wanted_items import Wanted
from consumer.core.repair.exported_change import ExportedChange
from consumer.core.repair.repair_run import RepairRun
from consumer.core.republish.table.table_description import TableDescription
from consumer.core.republish.taking_part import taking_part
from consumer.errors import Fatal, Misconfigured, Retryable, TableNotFound, Unreachable
from consumer.runtime.republish.table_reader import TableReader
from consumer.settings.loading import load_settings
from tests.twins.table import wire
from tests.unit.core.republish.items import RUN, STREAM_ARN, TABLE_ARN, route

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

SETTINGS = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:1",
    "CONSUMER_EVENT_TYPE": "order",
}
ROUTES = (route("order"),)
KEY = wire({"pk": {"S": "a"}})
WANTED = Wanted((KEY,))
DENIED = Retryable("BatchGetItem: AccessDeniedException", "access_denied")
GONE = TableNotFound("no table 'orders' in eu-central-1")
ERRORS = pytest.mark.parametrize(
    ("error", "wanted", "told"),
    [
        (DENIED, Unreachable, "table orders: BatchGetItem: AccessDenied"),
        (GONE, Misconfigured, "CONSUMER_TABLE: no table 'orders' in"),
    ],
)


@pytest.fixture(autouse=True)
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")


def reach() -> Reach:
    table = TableDescription("orders", TABLE_ARN, ("pk",), {"pk": "S"})
    participation = taking_part(ROUTES, (), STREAM_ARN, removes=False)
    clock = AwsClock(SystemClock())
    return Reach(load_settings(SETTINGS), table, ROUTES, participation, RUN, {}, clock)


def unreadable(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    async def get(*_: object) -> None:
        raise error

    monkeypatch.setattr(TableReader, "get", get)


@ERRORS
def test_a_dry_run_ends_with_one_line(
    error: Exception, wanted: type[Fatal], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable(monkeypatch, error)
    out = io.StringIO()
    with pytest.raises(wanted, match=told):
        asyncio.run(republish._count(reach(), WANTED, Rates(), out))
    assert out.getvalue() == ""


@ERRORS
def test_the_count_of_a_snapshot_ends_with_one_line(
    error: Exception, wanted: type[Fatal], told: str
) -> None:
    async def main() -> None:
        async with opened(reach(), Rates()):
            raise error

    with pytest.raises(wanted, match=told):
        asyncio.run(main())


@pytest.mark.parametrize("error", [DENIED, GONE])
def test_a_republish_ends_with_its_summary(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    unreadable(monkeypatch, error)
    with RefusedKeys(None) as refused:
        report = asyncio.run(republish._publish(reach(), WANTED, Rates(), refused))
    assert report.exit_code == 1
    assert f"ended early: the table could not be read: {error}" in "\n".join(report.lines())


@pytest.mark.parametrize("error", [DENIED, GONE])
def test_a_repair_ends_with_its_summary(error: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    unreadable(monkeypatch, error)

    @asynccontextmanager
    async def parts(*_: object) -> AsyncIterator[Any]:
        yield SimpleNamespace()

    monkeypatch.setattr(publishing, "opened_parts", parts)
    run = RepairRun("orders", 0, 900, ("order",), 0.0)
    with ChangedKeys() as keys, RefusedKeys(None) as refused:
        keys.add([ExportedChange(b"a", KEY, 1, None)])
        _, report = asyncio.run(publishing.publish(reach(), Rates(), run, keys, refused))
    assert report.exit_code == 1
    assert f"ended early: the table could not be read: {error}" in "\n".join(report.lines())
