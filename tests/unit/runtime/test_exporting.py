"""An export is begun once, whatever becomes of requests, answers and the command."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING
from unittest.mock import AsyncMock

import pytest
from msgspec.structs import replace

from consumer.core.repair.export import (
    TOKEN_SECONDS,
    Destination,
    ExportState,
    ExportStatus,
    ExportTask,
)
from consumer.core.repair.window import Restorable, Window
from consumer.errors import Misconfigured, Retryable, Unreachable
from consumer.runtime.republish.exporting import EXPORT_SECONDS, RECOVERY_SECONDS, TRIES, Exporting
from tests.twins.virtual_time import VirtualClock, run

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.core.repair.repair_run import RepairRun

WINDOW = Window(1000, 1900)
HERE = Destination("bucket", "1", "prefix", "key")
LOST = Retryable("reset", "reset")


@dataclass
class Exports:
    """DynamoDB's exports: a token is the same request for eight hours.

    `faults` are raised by the next requests, which take effect if they are `answers_lost`.
    """

    clock: VirtualClock
    seconds: float = 60.0
    begun: dict[str, tuple[ExportState, float]] = field(default_factory=dict)
    requests: list[ExportTask] = field(default_factory=list)
    answers_lost: int = 0
    refused: int = 0
    status: ExportStatus = ExportStatus.COMPLETED
    latest: float = 1e12
    off: bool = False

    async def restorable(self) -> Restorable | None:
        return None if self.off else Restorable(0.0, self.latest)

    async def start(self, task: ExportTask) -> ExportState:
        self.requests.append(task)
        if self.refused:
            self.refused -= 1
            raise LOST
        now = self.clock.wall()
        known = [s for s, at in self.begun.values() if s.token == task.token and now - at < 28_800]
        arn = f"arn-{len(self.begun)}"
        state = (
            known[0]
            if known
            else ExportState(
                arn, ExportStatus.IN_PROGRESS, task.destination, True, None, task.window, task.token
            )
        )
        self.begun.setdefault(state.arn, (state, now))
        if self.answers_lost:
            self.answers_lost -= 1
            raise LOST
        return state

    async def describe(self, arn: str) -> ExportState:
        state, at = self.begun[arn]
        if self.clock.wall() - at < self.seconds:
            return state
        return replace(state, status=self.status, manifest_key="m", failure="S3NoSuchBucket: none")

    async def incremental(self) -> Sequence[ExportState]:
        return [await self.describe(arn) for arn in self.begun]


@dataclass
class Rows:
    """The rows of repairs. `before_write` is called before each write, `fault` raised after it."""

    task: ExportTask | None = None
    before_write: Callable[[], None] = lambda: None
    answers_lost: int = 0

    async def read_export(self, _table: str, _window: Window) -> ExportTask | None:
        return self.task

    async def put_export(
        self, _table: str, expected: ExportTask | None, task: ExportTask
    ) -> ExportTask:
        self.before_write()
        there = None if self.task is None else self.task.token
        if there == (None if expected is None else expected.token):
            self.task = task
        if self.answers_lost:
            self.answers_lost -= 1
            raise LOST
        assert self.task is not None
        return self.task

    async def read_run(self, table: str, begin: int, end: int) -> RepairRun | None:
        raise NotImplementedError

    async def write_run(self, run: RepairRun) -> None:
        raise NotImplementedError


class Bench:
    """The parts of one test. `told` are the lines of progress."""

    def __init__(self) -> None:
        self.clock = VirtualClock()
        self.exports, self.rows = Exports(self.clock), Rows()
        self.told: list[str] = []
        self.tokens = 0

    def exporting(self, destination: Destination = HERE, *, anew: bool = False) -> Exporting:
        return Exporting(
            self.exports,
            self.rows,
            "orders",
            destination,
            self.clock,
            Random(1),
            self._token,
            self.told.append,
            anew=anew,
        )

    def _token(self) -> str:
        self.tokens += 1
        return f"token-{self.tokens}"


def with_bench(check: Callable[[Bench], object]) -> None:
    async def main() -> None:
        await check(Bench())  # type: ignore[misc]

    run(main)


def test_an_export_is_asked_for_and_waited_for() -> None:
    async def check(bench: Bench) -> None:
        state = await bench.exporting().export(WINDOW)
        assert (state.status, state.manifest_key) == (ExportStatus.COMPLETED, "m")
        [request] = bench.exports.requests
        assert (request.window, request.destination) == (WINDOW, HERE)
        assert set(bench.told) == {"export arn-0 is in progress"}
        assert bench.rows.task == replace(request, arn="arn-0")

    with_bench(check)


def test_the_token_is_stored_before_the_request_is_sent() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.refused = TRIES
        with pytest.raises(Retryable):
            await bench.exporting().export(WINDOW)
        assert bench.rows.task is not None
        assert {each.token for each in bench.exports.requests} == {bench.rows.task.token}

    with_bench(check)


def test_a_row_that_may_not_be_written_ends_it_before_anything_is_asked_for() -> None:
    async def check(bench: Bench) -> None:
        denied = Retryable("UpdateItem: AccessDenied", "access_denied")
        bench.rows.put_export = AsyncMock(side_effect=denied)  # type: ignore[method-assign]
        with pytest.raises(Retryable, match="AccessDenied"):
            await bench.exporting().export(WINDOW)
        assert bench.rows.put_export.await_count == 1
        assert bench.exports.requests == []

    with_bench(check)


def test_a_request_without_an_answer_is_repeated_with_its_token() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.answers_lost = 3
        await bench.exporting().export(WINDOW)
        assert len(bench.exports.requests) == 4
        assert len(bench.exports.begun) == 1

    with_bench(check)


def test_a_later_run_repeats_it_too() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.answers_lost = TRIES
        with pytest.raises(Retryable):
            await bench.exporting().export(WINDOW)
        await asyncio.sleep(TOKEN_SECONDS - 300)
        await bench.exporting().export(WINDOW)
        assert len(bench.exports.begun) == 1

    with_bench(check)


def test_once_the_token_is_forgotten_the_exports_are_listed_first() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.answers_lost = TRIES
        with pytest.raises(Retryable):
            await bench.exporting().export(WINDOW)
        asked = len(bench.exports.requests)
        await asyncio.sleep(9 * 3600)
        state = await bench.exporting().export(WINDOW)
        assert state.arn == "arn-0"
        assert len(bench.exports.requests) == asked, "it was found"

    with_bench(check)


def test_if_none_is_found_a_new_token_is_asked_with() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.refused = TRIES
        with pytest.raises(Retryable):
            await bench.exporting().export(WINDOW)
        await asyncio.sleep(9 * 3600)
        state = await bench.exporting().export(WINDOW)
        assert (state.arn, state.token) == ("arn-0", "token-2")

    with_bench(check)


def test_a_later_run_goes_on_waiting_for_the_same_export() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.seconds = 3600.0
        first = asyncio.ensure_future(bench.exporting().export(WINDOW))
        await asyncio.sleep(60)
        first.cancel()
        await asyncio.sleep(9 * 3600)
        await bench.exporting().export(WINDOW)
        assert len(bench.exports.requests) == 1

    with_bench(check)


def test_the_arn_is_stored_although_the_answer_of_the_row_is_lost() -> None:
    async def check(bench: Bench) -> None:
        bench.rows.answers_lost = 2
        await bench.exporting().export(WINDOW)
        assert bench.rows.task is not None
        assert bench.rows.task.arn == "arn-0"

    with_bench(check)


def test_two_runs_at_once_make_one_export() -> None:
    async def check(bench: Bench) -> None:
        runs = [bench.exporting().export(WINDOW) for _ in range(2)]
        states = await asyncio.gather(*runs)
        assert {state.arn for state in states} == {"arn-0"}
        assert len(bench.exports.begun) == 1

    with_bench(check)


def test_one_that_fails_says_why_and_the_next_run_begins_another() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.status = ExportStatus.FAILED
        with pytest.raises(Misconfigured, match="arn-0 failed: S3NoSuchBucket: none"):
            await bench.exporting().export(WINDOW)
        bench.exports.status = ExportStatus.COMPLETED
        bench.exports.begun["arn-0"] = (
            replace(bench.exports.begun["arn-0"][0], status=ExportStatus.FAILED),
            bench.clock.wall(),
        )
        assert (await bench.exporting().export(WINDOW)).arn == "arn-1"

    with_bench(check)


def test_one_of_an_earlier_run_that_has_failed_is_made_once_more() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.status = ExportStatus.FAILED
        first = asyncio.ensure_future(bench.exporting().export(WINDOW))
        await asyncio.sleep(30)
        first.cancel()
        with pytest.raises(Misconfigured, match="arn-1 failed"):
            await bench.exporting().export(WINDOW)
        assert len(bench.exports.begun) == 2

    with_bench(check)


def test_another_bucket_is_another_request() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.refused = TRIES
        with pytest.raises(Retryable):
            await bench.exporting().export(WINDOW)
        state = await bench.exporting(Destination("other")).export(WINDOW)
        assert (state.destination.bucket, state.token) == ("other", "token-2")

    with_bench(check)


def test_anew_makes_another() -> None:
    async def check(bench: Bench) -> None:
        await bench.exporting().export(WINDOW)
        assert (await bench.exporting(anew=True).export(WINDOW)).arn == "arn-1"

    with_bench(check)


def test_an_export_that_never_ends_is_waited_for_a_day() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.seconds = 1e9
        began = bench.clock.now()
        with pytest.raises(Unreachable, match="it goes on waiting"):
            await bench.exporting().export(WINDOW)
        assert EXPORT_SECONDS <= bench.clock.now() - began < EXPORT_SECONDS + 60

    with_bench(check)


def test_recovery_is_waited_for_until_it_has_reached_the_end() -> None:
    async def check(bench: Bench) -> None:
        end = int(bench.clock.wall()) + 100
        bench.exports.latest = end - 1
        waiting = asyncio.ensure_future(bench.exporting().until_restorable(end))
        await asyncio.sleep(600)
        assert not waiting.done()
        bench.exports.latest = end
        await waiting
        assert bench.told

    with_bench(check)


def test_but_no_longer_than_an_hour() -> None:
    async def check(bench: Bench) -> None:
        bench.exports.latest = 0.0
        with pytest.raises(Unreachable, match="again later"):
            await bench.exporting().until_restorable(1)
        assert bench.clock.now() >= RECOVERY_SECONDS

    with_bench(check)


def test_an_export_that_is_named_is_waited_for_and_must_be_whole() -> None:
    async def check(bench: Bench) -> None:
        exporting = bench.exporting()
        await bench.exports.start(ExportTask(WINDOW, HERE, "by hand", 0.0))
        assert (await exporting.described("arn-0")).status is ExportStatus.COMPLETED
        bench.exports.status = ExportStatus.FAILED
        with pytest.raises(Misconfigured, match="failed"):
            await exporting.described("arn-0")

    with_bench(check)
