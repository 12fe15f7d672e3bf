"""`consumer leases`: what its table and its notes say; `--watch` goes on over a look that fails."""

from __future__ import annotations

import asyncio
import io
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from consumer import cli
from consumer.adapters.aws.aws import Aws
from consumer.commands.operate import gaps, lease_reading, leases
from consumer.core.leases.checkpoint import TRIM_HORIZON
from consumer.core.leases.lease import Lease, StreamRow
from consumer.core.reports.lease_report import LeaseLine
from consumer.core.reports.worker_status import WorkerStatus
from consumer.errors import LeaseTableAbsent
from consumer.settings.loading import load_settings
from tests.twins.lease_table import Fault, LeaseTable, LeaseTableTwin
from tests.twins.virtual_time import EPOCH, SetClock, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from consumer.settings.settings import Settings

ROW = StreamRow("arn", "orders", "L", None, TRIM_HORIZON, None, True, 1, 1, 0, "f")
ENVIRON = {
    "CONSUMER_TABLE": "orders",
    "CONSUMER_NAKADI_URL": "http://localhost:1",
    "CONSUMER_EVENT_TYPE": "a.b",
}


def watched(*, looks: int) -> str:
    """What a number of looks at the table show."""
    out = io.StringIO()

    async def look() -> None:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout((looks - 0.5) * leases.WATCH_SECONDS):
                await leases._watch(load_settings(ENVIRON), out, as_json=False)

    run(look)
    return out.getvalue()


def test_a_look_that_fails_is_told_and_the_next_one_shows_how_it_went_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = LeaseTableTwin(LeaseTable(streams={ROW.key: ROW}))
    store.table.of(ROW.key)["s-1"] = Lease("s-1", None)
    store.fail("read_leases", None, Fault.REFUSED)

    @asynccontextmanager
    async def opened(_: Settings, __: Aws) -> AsyncIterator[LeaseTableTwin]:
        yield store

    monkeypatch.setattr(leases, "open_lease_table", opened)
    assert watched(looks=3).count("1 shards: 1 unowned") == 2
    assert capsys.readouterr().err.count("not read: ") == 1


def test_a_table_that_does_not_exist_yet_is_watched_until_it_does(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    store = LeaseTableTwin(LeaseTable(streams={ROW.key: ROW}))
    store.table.of(ROW.key)["s-1"] = Lease("s-1", None)
    looks = iter(range(9))

    @asynccontextmanager
    async def opened(_: Settings, __: Aws) -> AsyncIterator[LeaseTableTwin]:
        if next(looks) == 0:
            raise LeaseTableAbsent("no table")
        yield store

    monkeypatch.setattr(leases, "open_lease_table", opened)
    assert watched(looks=2).count("1 shards: 1 unowned") == 1
    errors = capsys.readouterr().err
    assert errors.count("nothing has run yet (lease table 'consumer-leases'") == 1
    assert errors.endswith("if the service runs, the name or the region is wrong)\n")


def test_an_absent_table_is_told_as_one_that_nothing_made_or_that_has_another_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Absent:
        def __init__(self, *_: object, **__: object) -> None: ...

        async def ensure_table(self, *, create: bool) -> None:
            raise LeaseTableAbsent(f"CONSUMER_LEASE_TABLE_CREATE is {create}")

    monkeypatch.setattr(lease_reading, "LeaseTable", Absent)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "none")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "none")

    async def main() -> None:
        async with (
            Aws("eu-central-1") as aws,
            lease_reading.open_lease_table(load_settings(ENVIRON), aws),
        ):
            raise AssertionError

    told = "no table 'consumer-leases' in .*: nothing has run yet, or the name or the region is"
    with pytest.raises(LeaseTableAbsent, match=told):
        asyncio.run(main())


@pytest.mark.parametrize(
    ("command", "module"), [("leases", leases), ("gaps", gaps)], ids=["leases", "gaps"]
)
def test_without_a_table_nothing_has_run_or_its_name_is_wrong(
    command: str,
    module: object,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    @asynccontextmanager
    async def absent(_: Settings, __: Aws) -> AsyncIterator[LeaseTableTwin]:
        raise LeaseTableAbsent("no table")
        yield

    monkeypatch.setattr(module, "open_lease_table", absent)
    assert cli.execute((command,), ENVIRON) == 0
    assert capsys.readouterr().err == (
        f"no {command}: nothing has run yet (lease table 'consumer-leases', application 'a.b';"
        " there is no such table: if the service runs, the name or the region is wrong)\n"
    )


def test_ages_do_not_follow_the_clock_of_the_operators_machine() -> None:
    store = LeaseTableTwin(LeaseTable(streams={ROW.key: ROW}))
    store.table.of(ROW.key)["s-1"] = Lease("s-1", None, record_at=EPOCH - 90.0)

    async def read() -> leases.LeaseReading:
        return await leases._read(store, load_settings(ENVIRON), SetClock(ahead=602.0))

    (line,) = run(read).lines
    assert line.age_seconds == pytest.approx(90.0, abs=1.0)


def test_the_table_names_streams_if_there_are_several_and_marks_what_is_idle_or_paused() -> None:
    idle = LeaseLine("s-1", None, "w", "held", "7", 2.0, stream="orders/L", idle=True)
    paused = LeaseLine("s-2", "s-1", None, "unowned", "8", None, paused=True, stream="orders/M")
    assert [line.split() for line in leases.table([idle, paused]).splitlines()] == [
        ["stream", *leases.HEADER],
        ["orders/L", "s-1", "held,", "idle", "w", "7", "2", "s", "-"],
        ["orders/M", "s-2", "unowned,", "paused", "-", "8", "s-1"],
    ]
    assert leases.table([idle]).split()[: len(leases.HEADER)] == list(leases.HEADER)


def test_notes_say_who_paused_and_what_is_wrong_with_a_worker_since_when() -> None:
    line = LeaseLine(
        *("s-1", None, "w", "held", "7", 2.0),
        paused=True,
        paused_by="me@desk",
        paused_at=1793525400.0,
        paused_reason="deploy",
    )
    sound = WorkerStatus("v", "ok", None, None, "", 1.0)
    wrong = WorkerStatus("w", "stopped", "http_404", 1793525400.0, "create it", 1.0)
    assert leases.notes(leases.LeaseReading([line, line], (sound, wrong))).splitlines() == [
        "paused 2026-11-01T09:30:00Z by me@desk: deploy",
        "worker w: stopped since 2026-11-01T09:30:00Z: http_404",
        "  → create it",
    ]
