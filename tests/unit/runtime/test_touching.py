"""Touching: one after the other, at a rate, and again after a failure with the same value."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from consumer.core.leases.lease import Worker
from consumer.core.limits import LeaseTiming
from consumer.core.publishing.early_end import CALLED_OFF
from consumer.core.republish.rate_limit import RateLimit
from consumer.core.republish.touch_answer import CONFLICT, TouchAnswer, TouchOutcome
from consumer.errors import Retryable
from consumer.runtime.republish.touch_guard import NOBODY, WATCH_SECONDS, TouchGuard
from consumer.runtime.republish.touching import (
    ITEM_TRIES,
    TRIES,
    WHY,
    TouchEnded,
    Touching,
)
from tests.twins.table import wire
from tests.twins.virtual_time import HalfChance, VirtualClock, run

if TYPE_CHECKING:
    from collections.abc import Callable

    from msgspec import Raw

    from consumer.core.reports.runs.touch_report import TouchReport
    from consumer.core.republish.item_event import Refusal

TIMING = LeaseTiming(heartbeat=2.0, lease_duration=10.0)
ATTRIBUTE = "consumer:touch"
FIT = replace(
    Worker("fit", 0, 0, ("orders/1",), True, False, 0.0, 0.0, "h", "0.2.0", 10.0, 2.0),
    touch_attribute=ATTRIBUTE,
)
OLDER = replace(FIT, worker_id="older", version="0.1.0", touch_attribute=None)


@dataclass
class Rows:
    """The worker rows, as far as a guard asks for them; hearts beat each second."""

    clock: VirtualClock
    workers: Callable[[float], list[Worker]]
    reads: int = 0
    fails: Callable[[float], str | None] = lambda _: None

    async def read_peers(self) -> tuple[list[Worker], tuple[()]]:
        self.reads += 1
        now = self.clock.now()
        reason = self.fails(now)
        if reason is not None:
            raise Retryable("no", reason)
        return [replace(row, heartbeat=int(now)) for row in self.workers(now)], ()


@dataclass
class Touches:
    """`answers` are given in turn, then each touch is written."""

    clock: VirtualClock
    answers: deque[Any] = field(default_factory=deque)
    calls: list[tuple[str, str, float]] = field(default_factory=list)

    async def touch(self, keys: Raw, value: str) -> TouchAnswer:
        self.calls.append((bytes(keys).decode(), value, self.clock.now()))
        answer = self.answers.popleft() if self.answers else TouchOutcome.WRITTEN
        if isinstance(answer, Exception):
            raise answer
        return TouchAnswer(answer, 2.0)


class Desk:
    def __init__(self, *answers: Any, rate: float = 1_000_000) -> None:
        self.clock = VirtualClock()
        self.rows = Rows(self.clock, lambda _: [FIT])
        self.touches = Touches(self.clock, deque(answers))
        self.refused: list[tuple[str, str, str]] = []
        self.shown: list[int] = []
        self.limit = RateLimit(rate)
        self.rate = 0.0  # in the end
        self.touching = Touching(
            self.touches,
            "run-1",
            TouchGuard(self.rows, self.clock, TIMING, ATTRIBUTE, "orders"),  # type: ignore[arg-type]
            self.limit,
            self.clock,
            HalfChance(),
            self._refuse,
            lambda report: self.shown.append(report.done),
        )

    def _refuse(self, keys: Raw, refusal: Refusal) -> None:
        self.refused.append((bytes(keys).decode(), refusal.reason, refusal.detail))

    def touch(self, *texts: str) -> TouchReport:
        async def main() -> None:
            await self.touching.touch([wire({"id": {"S": text}}) for text in texts])
            self.rate = self.limit.rate(self.clock.now())

        run(main)
        return self.touching.report


def test_each_item_is_touched_with_the_value_of_the_run() -> None:
    desk = Desk(TouchOutcome.WRITTEN, TouchOutcome.GONE)
    report = desk.touch("a", "b", "c")
    assert (report.touched, report.gone, report.exit_code) == (2, 1, 0)
    assert {value for _, value, _ in desk.touches.calls} == {"run-1"}
    assert [keys[-5:-3] for keys, _, _ in desk.touches.calls] == ['"a', '"b', '"c']
    assert desk.shown == [1, 2, 3]


def test_no_faster_than_its_write_units() -> None:
    desk = Desk(rate=4.0)
    desk.touch("a", "b", "c")
    times = [at for _, _, at in desk.touches.calls]
    assert [after - before for before, after in pairwise(times)] == [0.5, 0.5]


@pytest.mark.parametrize("outcome", WHY)
def test_one_that_is_too_large_is_refused_and_the_others_go_on(outcome: TouchOutcome) -> None:
    desk = Desk(outcome)
    report = desk.touch("a", "b")
    assert (report.touched, report.exit_code) == (1, 1)
    assert desk.refused == [('{"id":{"S":"a"}}', outcome.value, WHY[outcome])]


@pytest.mark.parametrize("reason", [CONFLICT, "throttled"])
def test_three_tries_then_it_is_refused(reason: str) -> None:
    desk = Desk(*[Retryable("no", reason)] * ITEM_TRIES)
    report = desk.touch("a", "b")
    assert len(desk.touches.calls) == ITEM_TRIES + 1
    assert (report.touched, dict(report.refusals)) == (1, {reason: 1})
    assert [each[1:] for each in desk.refused] == [(reason, "3 tries")]
    assert desk.touches.calls[1][2] > desk.touches.calls[0][2]
    assert (desk.rate < desk.limit.whole) == (reason == "throttled")


def test_a_lost_answer_is_asked_for_again_with_the_same_value() -> None:
    desk = Desk(*[Retryable("no", "timeout")] * (TRIES - 1))
    report = desk.touch("a")
    assert (report.touched, report.exit_code) == (1, 0)
    assert {call[:2] for call in desk.touches.calls} == {('{"id":{"S":"a"}}', "run-1")}


@pytest.mark.parametrize(
    ("reason", "calls"), [("timeout", TRIES), ("access_denied", 1), ("validation", 1)]
)
def test_what_no_other_item_changes_ends_the_run(reason: str, calls: int) -> None:
    desk = Desk(*[Retryable("no", reason)] * TRIES)
    with pytest.raises(Retryable):
        desk.touch("a", "b")
    assert len(desk.touches.calls) == calls
    assert desk.refused == []


def test_it_ends_when_it_is_told_to() -> None:
    desk = Desk()
    desk.touching.stop()
    with pytest.raises(TouchEnded, match=CALLED_OFF):
        desk.touch("a")
    assert desk.touches.calls == []


def test_nothing_is_touched_before_a_worker_is_seen_that_leaves_it_out() -> None:
    desk = Desk()
    desk.rows.workers = lambda now: [FIT] if now >= 5.0 else []
    desk.touch("a")
    assert desk.touches.calls[0][2] >= 6.0


def test_a_worker_that_comes_meanwhile_ends_it() -> None:
    desk = Desk(rate=1.0)
    desk.rows.workers = lambda now: [FIT, OLDER] if now >= 20.0 else [FIT]
    with pytest.raises(TouchEnded, match="worker older"):
        desk.touch(*map(str, range(30)))
    assert 20.0 - 2.0 <= desk.touches.calls[-1][2] <= 20.0 + WATCH_SECONDS
    assert desk.rows.reads < 40


@pytest.mark.parametrize("answer", [TouchOutcome.WRITTEN, Retryable("no", "timeout")])
def test_a_worker_that_comes_while_it_waits_ends_it_before_the_next_write(answer: Any) -> None:
    """It waits for write units, or to try again: then the workers are looked at, not before."""
    slow = isinstance(answer, TouchOutcome)
    desk = Desk(*[answer] * TRIES, rate=0.1 if slow else 1_000_000)
    desk.rows.workers = lambda now: [FIT, OLDER] if now >= 10.0 else [FIT]
    with pytest.raises(TouchEnded, match="worker older"):
        desk.touch("a", "b")
    assert desk.touches.calls[-1][2] <= 10.0 + WATCH_SECONDS


def test_it_ends_soon_when_it_is_told_to_while_it_waits() -> None:
    desk = Desk(rate=0.001)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(30.0, desk.touching.stop)
        began = desk.clock.now()
        with pytest.raises(TouchEnded, match=CALLED_OFF):
            await desk.touching.touch([wire({"id": {"S": text}}) for text in "ab"])
        assert desk.clock.now() - began <= 32.0

    run(main)
    assert len(desk.touches.calls) == 1


@pytest.mark.parametrize("at", [0.0, 30.0])
def test_it_ends_at_once_when_it_is_told_to_while_it_reads(at: float) -> None:
    """A filter that takes no item is asked of the whole table before there is one to touch."""
    desk = Desk()

    async def main() -> None:
        assert await desk.touching.read(lambda: asyncio.sleep(1.0, "page")) == "page"
        if at:
            asyncio.get_running_loop().call_later(at, desk.touching.stop)
        else:
            desk.touching.stop()
        began = desk.clock.now()
        with pytest.raises(TouchEnded, match=CALLED_OFF):
            await desk.touching.read(lambda: asyncio.sleep(3600.0))
        assert desk.clock.now() - began == at

    run(main)


def test_a_read_that_takes_too_long_by_itself_is_no_calling_off() -> None:
    desk = Desk()

    async def late() -> None:
        raise TimeoutError("the read's own")

    async def main() -> None:
        with pytest.raises(TimeoutError, match="own"):
            await desk.touching.read(late)

    run(main)


def test_it_ends_at_once_when_it_is_told_to_while_a_worker_is_waited_for() -> None:
    """A worker that does not leave the attribute out is waited for until it is proven dead."""
    desk = Desk(rate=1.0)
    silent = replace(OLDER, lease_duration=60.0)

    async def read_peers() -> tuple[list[Worker], tuple[()]]:
        beating = replace(FIT, heartbeat=int(desk.clock.now()))
        return ([beating, silent] if desk.clock.now() >= 5.0 else [beating]), ()

    desk.rows.read_peers = read_peers  # type: ignore[method-assign]

    async def main() -> None:
        asyncio.get_running_loop().call_later(20.0, desk.touching.stop)
        began = desk.clock.now()
        with pytest.raises(TouchEnded, match=CALLED_OFF):
            await desk.touching.touch([wire({"id": {"S": text}}) for text in map(str, range(30))])
        assert desk.clock.now() - began <= 21.0

    run(main)


def test_a_lease_table_that_fails_for_a_while_ends_nothing() -> None:
    desk = Desk(rate=2.0)
    desk.rows.fails = lambda now: "throttled" if 10.0 <= now < 30.0 else None
    report = desk.touch(*map(str, range(20)))
    assert (report.touched, report.exit_code) == (20, 0)
    assert not [at for _, _, at in desk.touches.calls if 10.0 + WATCH_SECONDS < at < 30.0]
    assert desk.rate == desk.limit.whole


@pytest.mark.parametrize(("reason", "most"), [("timeout", TRIES), ("access_denied", 1)])
def test_one_that_keeps_failing_ends_the_run(reason: str, most: int) -> None:
    desk = Desk()
    desk.rows.fails = lambda _: reason
    with pytest.raises(Retryable):
        desk.touch("a")
    assert (desk.touches.calls, desk.rows.reads) == ([], most)


def guarded(read: Callable[[float], list[Worker]], standing: tuple[Worker, ...] = ()) -> Any:
    """What the first look of a guard finds, and how long it takes; some rows stand still."""

    class Some(Rows):
        async def read_peers(self) -> tuple[list[Worker], tuple[()]]:
            workers, streams = await super().read_peers()
            return [*workers, *standing], streams

    async def main() -> tuple[str | None, float]:
        clock = VirtualClock()
        began = clock.now()
        rows: Any = Some(clock, read)
        guard = TouchGuard(rows, clock, TIMING, ATTRIBUTE, "orders")
        return await guard.first(), clock.now() - began

    return run(main)


def test_without_a_worker_nobody_would_publish_it() -> None:
    why, waited = guarded(lambda _: [])
    assert why == NOBODY
    assert waited > TIMING.lease_duration


def test_a_row_that_stays_is_waited_for_as_long_as_its_worker_may_live() -> None:
    standing = replace(OLDER, heartbeat=7, lease_duration=30.0)
    why, waited = guarded(lambda _: [FIT], (standing,))
    assert why is None
    assert 30.0 <= waited <= 31.0
