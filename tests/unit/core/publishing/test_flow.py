"""Flow: what may be sent after what was answered."""

from __future__ import annotations

from math import inf

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from consumer.core.limits import PublishLimits
from consumer.core.publishing.flow import (
    BATCH_BYTES_MIN,
    DEAD_LETTER_LIMIT,
    DEAD_LETTER_WINDOW,
    DEFINITION,
    PAUSE,
    PAUSE_MAX,
    POSTPONEMENTS,
    RETRY_AFTER_MAX,
    Flow,
    FlowState,
)

ALMOST = 0.999


def limits(dead_letter_limit: int = 100) -> PublishLimits:
    return PublishLimits(
        batch_events=500,
        batch_bytes=900_000,
        concurrency=4,
        probe=30.0,
        dead_letter_limit=dead_letter_limit,
    )


def fail(
    flow: Flow,
    now: float,
    sent_at: float | None = None,
    *,
    reason: str = "http_503",
    retry_after: float | None = None,
    chance: float = ALMOST,
) -> None:
    flow.outage(now, now if sent_at is None else sent_at, reason, retry_after, chance)


def pause_of(flow: Flow, now: float, in_flight: int) -> float | None:
    """Seconds until another request may start; None: not before one in flight has ended."""
    return None if in_flight >= flow.allowed else max(0.0, flow.not_before - now)


def stopped(now: float = 100.0) -> Flow:
    flow = Flow(limits())
    flow.stop(now, "http_403")
    return flow


def test_it_begins_publishing_with_all_it_is_allowed() -> None:
    flow = Flow(limits())
    assert (flow.state, flow.reason) == (FlowState.PUBLISHING, None)
    assert (flow.allowed, flow.batch_events, flow.batch_bytes) == (4, 500, 900_000)
    assert pause_of(flow, 0.0, 0) == 0.0
    assert pause_of(flow, 0.0, 3) == 0.0


def test_not_more_requests_than_slots() -> None:
    flow = Flow(limits())
    assert pause_of(flow, 0.0, 4) is None
    assert pause_of(flow, 0.0, 5) is None


# Outages


def test_an_outage_shrinks_to_one_probe_after_a_pause() -> None:
    flow = Flow(limits())
    fail(flow, 100.0)
    assert (flow.state, flow.reason, flow.allowed) == (FlowState.BACKING_OFF, "http_503", 1)
    assert pause_of(flow, 100.0, 0) == pytest.approx(PAUSE, rel=0.01)
    assert pause_of(flow, 100.0, 1) is None
    assert pause_of(flow, 100.0 + PAUSE, 0) == 0.0
    assert flow.batch_events == 500


def test_pauses_double_up_to_a_limit_and_outages_never_end() -> None:
    flow = Flow(limits())
    now, pauses = 100.0, []
    for _ in range(200):
        fail(flow, now, chance=0.5)
        wait = pause_of(flow, now, 0)
        assert wait is not None
        pauses.append(wait)
        now += wait
    assert pauses[:4] == pytest.approx([PAUSE / 2, PAUSE, PAUSE * 2, PAUSE * 4])
    assert pauses[-1] == pytest.approx(PAUSE_MAX / 2)
    assert flow.state is FlowState.BACKING_OFF


def test_full_jitter_never_hammers() -> None:
    flow = Flow(limits())
    fail(flow, 100.0, chance=0.0)
    assert pause_of(flow, 100.0, 0) == pytest.approx(PAUSE / 10)


def test_requests_in_flight_together_count_once() -> None:
    flow = Flow(limits())
    for now in (100.0, 100.1, 100.2, 100.3):
        fail(flow, now, sent_at=99.0)
    assert flow.not_before == pytest.approx(100.3)  # of the first: 100.2
    fail(flow, 101.0)
    assert pause_of(flow, 101.0, 0) == pytest.approx(2 * PAUSE, rel=0.01)


def test_retry_after_is_honoured() -> None:
    flow = Flow(limits())
    fail(flow, 100.0, retry_after=7.0)
    assert pause_of(flow, 100.0, 0) == 7.0


def test_retry_after_of_a_request_in_flight_is_honoured_too() -> None:
    flow = Flow(limits())
    fail(flow, 100.0, sent_at=99.0, reason="timeout")
    fail(flow, 100.1, sent_at=99.0, retry_after=7.0)
    assert flow.not_before == pytest.approx(107.1)
    fail(flow, 100.2, sent_at=99.0, retry_after=1.0)
    assert flow.not_before == pytest.approx(107.1)


def test_a_shorter_retry_after_does_not_shorten_the_pause() -> None:
    flow = Flow(limits())
    fail(flow, 100.0, retry_after=0.01)
    assert pause_of(flow, 100.0, 0) == pytest.approx(PAUSE, rel=0.01)


def test_an_absurd_retry_after_is_not_believed() -> None:
    flow = Flow(limits())
    fail(flow, 100.0, retry_after=1e9)
    assert pause_of(flow, 100.0, 0) == RETRY_AFTER_MAX


@pytest.mark.parametrize("stored", [True, False])
def test_an_answered_probe_ends_an_outage(stored: bool) -> None:
    flow = Flow(limits())
    fail(flow, 100.0)
    flow.answered(101.0, stored=stored)
    assert (flow.state, flow.reason, flow.allowed) == (FlowState.PUBLISHING, None, 1)
    assert pause_of(flow, 101.0, 0) == 0.0
    fail(flow, 102.0)
    assert pause_of(flow, 102.0, 0) == pytest.approx(PAUSE, rel=0.01)  # a new one begins small


def test_an_answer_to_what_was_sent_before_the_outage_does_not_end_it() -> None:
    flow = Flow(limits())
    fail(flow, 100.0, sent_at=99.0, retry_after=60.0)
    flow.answered(99.5, stored=True)
    assert (flow.state, flow.reason) == (FlowState.BACKING_OFF, "http_503")
    assert pause_of(flow, 101.0, 0) == 59.0


def test_slots_grow_back_one_by_one() -> None:
    flow = Flow(limits())
    fail(flow, 100.0)
    seen = []
    for _ in range(6):
        flow.answered(101.0, stored=True)
        seen.append(flow.allowed)
    assert seen == [1, 2, 3, 4, 4, 4]


# Stops


def test_a_stop_leaves_one_event_every_probe_interval() -> None:
    flow = stopped(100.0)
    assert (flow.state, flow.reason) == (FlowState.STOPPED, "http_403")
    assert (flow.batch_events, flow.allowed) == (1, 1)
    assert pause_of(flow, 100.0, 0) == 30.0
    assert pause_of(flow, 130.0, 0) == 0.0
    assert pause_of(flow, 130.0, 1) is None


def test_a_stop_may_be_repeated_and_have_another_reason() -> None:
    flow = Flow(limits())
    flow.stop(100.0, "http_403")
    flow.stop(130.0, "http_403")
    assert pause_of(flow, 130.0, 0) == 30.0
    flow.stop(160.0, "http_404")
    assert flow.reason == "http_404"


def test_a_stop_ends_an_outage() -> None:
    flow = Flow(limits())
    fail(flow, 100.0)
    flow.stop(101.0, "http_404")
    assert flow.reason == "http_404"


def test_an_outage_does_not_end_a_stop() -> None:
    flow = stopped(100.0)
    fail(flow, 130.0, retry_after=1.0)
    assert (flow.state, flow.reason) == (FlowState.STOPPED, "http_403")
    assert pause_of(flow, 130.0, 0) == 30.0


def test_a_stored_probe_ends_a_stop() -> None:
    flow = stopped(100.0)
    flow.answered(130.0, stored=True)
    assert (flow.state, flow.reason) == (FlowState.PUBLISHING, None)
    assert (flow.batch_events, flow.allowed, pause_of(flow, 130.0, 0)) == (500, 1, 0.0)


def test_a_probe_that_is_not_stored_does_not_end_a_stop_and_the_next_one_waits() -> None:
    flow = Flow(limits())
    flow.stop(100.0, DEAD_LETTER_LIMIT)
    flow.answered(130.0, stored=False)
    assert flow.state is FlowState.STOPPED
    assert pause_of(flow, 130.5, 0) == 29.5


def test_a_probe_answered_about_its_event_ends_a_stop_at_the_door() -> None:
    flow = stopped(100.0)
    flow.answered(130.0, stored=False)
    assert flow.state is FlowState.PUBLISHING


def test_an_event_put_off_often_enough_may_be_refused_while_stopped_within_the_limit() -> None:
    flow = Flow(limits(dead_letter_limit=1))
    flow.stop(100.0, DEAD_LETTER_LIMIT)
    assert not flow.refuse(101.0, POSTPONEMENTS - 1)
    assert flow.refuse(102.0, POSTPONEMENTS)
    assert not flow.refuse(103.0, POSTPONEMENTS)
    assert flow.refuse(162.1, POSTPONEMENTS)


@pytest.mark.parametrize("stored", [True, False])
def test_what_was_in_flight_at_the_stop_neither_ends_nor_prolongs_it(stored: bool) -> None:
    flow = stopped(100.0)
    flow.answered(99.0, stored=stored)
    assert flow.state is FlowState.STOPPED
    assert pause_of(flow, 101.0, 0) == 29.0


# 413


def answered(flow: Flow, times: int) -> int:
    for _ in range(times):
        flow.answered(1.0, stored=True)
    return flow.batch_bytes


@pytest.mark.parametrize("size", [800_000, 40_000])
def test_too_large_halves_and_grows_back_by_a_fiftieth_of_what_it_is(size: int) -> None:
    flow = Flow(limits())
    flow.too_large(size)
    assert flow.batch_bytes == size // 2
    assert answered(flow, 1) == size // 2 * 51 // 50
    assert answered(flow, 33) < size < answered(flow, 3)
    assert answered(flow, 200) == 900_000


def test_too_large_never_grows_and_has_a_floor() -> None:
    flow = Flow(limits())
    flow.too_large(600_000)
    flow.too_large(800_000)  # was in flight
    assert flow.batch_bytes == 300_000
    flow.too_large(1_500)
    assert flow.batch_bytes == BATCH_BYTES_MIN


# Dead letters


def test_the_limit_of_dead_letters_within_the_window() -> None:
    flow = Flow(limits(dead_letter_limit=3))
    assert [flow.refuse(now) for now in (0.0, 10.0, 20.0, 59.9)] == [True, True, True, False]
    assert flow.refuse(DEAD_LETTER_WINDOW)  # the first has left the window
    assert not flow.refuse(69.9)
    assert flow.refuse(70.0)


def test_no_limit_no_count() -> None:
    flow = Flow(limits(dead_letter_limit=0))
    assert all(flow.refuse(1.0) for _ in range(10_000))
    assert not flow._refusals


@pytest.mark.parametrize("limit", [0, 3])
def test_a_stopped_event_type_writes_no_dead_letters(limit: int) -> None:
    flow = Flow(limits(dead_letter_limit=limit))
    flow.stop(1.0, "http_403")
    assert not flow.refuse(1.0)


def test_an_outage_does_not_start_the_count_again() -> None:
    flow = Flow(limits(dead_letter_limit=2))
    assert flow.refuse(1.0)
    assert flow.refuse(2.0)
    fail(flow, 3.0)
    flow.answered(4.0, stored=True)
    assert not flow.refuse(5.0)


def test_the_end_of_a_stop_does_not_start_the_count_again() -> None:
    flow = Flow(limits(dead_letter_limit=1))
    assert flow.refuse(1.0)
    assert not flow.refuse(2.0)
    flow.stop(2.0, "dead_letter_limit")
    flow.answered(32.0, stored=True)
    assert not flow.refuse(33.0)
    assert flow.refuse(1.0 + DEAD_LETTER_WINDOW)


def test_while_the_definition_is_wrong_nothing_is_sent_and_then_all() -> None:
    flow = Flow(limits())
    flow.stop(100.0, DEFINITION)
    assert (flow.state, flow.reason, flow.not_before) == (FlowState.STOPPED, DEFINITION, inf)
    flow.stop(130.0, DEFINITION)
    flow.resume()
    assert (flow.state, flow.reason, flow.not_before) == (FlowState.PUBLISHING, None, 0.0)
    flow.stop(160.0, "http_403")
    assert flow.not_before == 160.0 + limits().probe


class Histories(RuleBasedStateMachine):
    """A dispatcher that obeys the flow, and a Nakadi in any mood."""

    def __init__(self) -> None:
        super().__init__()
        self.flow = Flow(limits(dead_letter_limit=3))
        self.now = 100.0
        self.in_flight: list[float] = []
        self.probes: list[float] = []  # sent while stopped
        self.asked_until = 0.0  # of the Retry-Afters that nothing has ended since

    @rule(seconds=st.floats(0.01, 40))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @rule()
    def send(self) -> None:
        if pause_of(self.flow, self.now, len(self.in_flight)) != 0.0:
            return
        assert self.now >= self.asked_until
        if self.flow.state is FlowState.STOPPED:
            assert not self.probes or self.now - self.probes[-1] >= 30.0 - 1e-9
            self.probes.append(self.now)
        if self.flow.state is not FlowState.PUBLISHING:
            assert not self.in_flight
        self.in_flight.append(self.now)

    @rule(data=st.data(), kind=st.sampled_from(["stored", "refused", "outage", "stop", "413"]))
    def answer(self, data: st.DataObject, kind: str) -> None:
        if not self.in_flight:
            return
        sent_at = self.in_flight.pop(data.draw(st.integers(0, len(self.in_flight) - 1)))
        state = self.flow.state
        if kind == "413" and state is FlowState.STOPPED:
            kind = "refused"
        match kind:
            case "stored" | "refused":
                self.flow.answered(sent_at, stored=kind == "stored")
                if kind == "refused":
                    assert self.flow.state is state or state is not FlowState.PUBLISHING
            case "outage":
                asked = data.draw(st.sampled_from([0.0, 5.0, 60.0]))
                self.flow.outage(self.now, sent_at, "http_503", asked, data.draw(st.floats(0, 0.9)))
                assert self.flow.state is not FlowState.PUBLISHING
                if state is not FlowState.STOPPED:
                    self.asked_until = max(self.asked_until, self.now + asked)
            case "stop":
                self.flow.stop(self.now, "http_403")
            case _:
                self.flow.too_large(data.draw(st.integers(1, 900_000)))
                self.in_flight.append(self.now)  # its first half; one event has none
        if self.flow.state is not FlowState.BACKING_OFF:
            self.asked_until = 0.0
        if self.flow.state is not FlowState.STOPPED:
            self.probes.clear()

    @invariant()
    def within_limits(self) -> None:
        flow = self.flow
        assert 1 <= flow.allowed <= 4
        assert BATCH_BYTES_MIN <= flow.batch_bytes <= 900_000
        assert (flow.reason is None) == (flow.state is FlowState.PUBLISHING)
        wait = pause_of(flow, self.now, 0)
        assert wait is not None
        assert wait <= RETRY_AFTER_MAX  # it always goes on
        if flow.state is not FlowState.PUBLISHING:
            assert flow.allowed == 1


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
