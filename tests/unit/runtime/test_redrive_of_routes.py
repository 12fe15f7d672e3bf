"""A redrive of several event types: each has its own part, and they share one budget."""

import dataclasses
from typing import Any

import pytest
from msgspec.structs import replace

from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.dead_letters.examiner import Examiner
from consumer.core.dead_letters.redrive import (
    Deliverable,
    Kept,
    QueuedMessage,
    RedriveOutcome,
    RouteEvent,
)
from consumer.core.limits import PublishLimits
from consumer.core.publishing.early_end import PATIENCE_SECONDS
from consumer.core.reports.runs.redrive_report import RedriveReport
from consumer.core.routes.route import Route
from consumer.runtime.redrive import redrive as module
from tests.twins.nakadi import NakadiTwin, Reply, sequence_of
from tests.unit.runtime import test_redrive_run
from tests.unit.runtime.test_redrive_run import ROUTE, Desk, refusing

ORDER, SHIPPED, PAID = (
    replace(ROUTE, event_type=f"shop.{name}", name=name) for name in ("order", "shipped", "paid")
)
ROUTES = (ORDER, SHIPPED, PAID)


class Counter(Desk):
    """A desk for three event types; the first one's Nakadi is `nakadi`."""

    def __init__(self) -> None:
        super().__init__()
        self.others = {SHIPPED.event_type: NakadiTwin(), PAID.event_type: NakadiTwin()}

    @property
    def publishers(self) -> dict[str, Any]:
        return {ORDER.event_type: self.nakadi, **self.others}

    @property
    def shipped(self) -> NakadiTwin:
        return self.others[SHIPPED.event_type]

    @property
    def paid(self) -> NakadiTwin:
        return self.others[PAID.event_type]

    def run(self, **choices: Any) -> RedriveReport:
        return self.redrive(routes=ROUTES, **choices)


@pytest.fixture
def desk() -> Counter:
    return Counter()


def letter(route: Route, sequence: int, key: str = "", **data: object) -> DeadLetter:
    made = test_redrive_run.letter(sequence, key, **data)
    return dataclasses.replace(
        made, event_type=route.event_type, route=route.name, rules=route.rules
    )


def numbers(nakadi: NakadiTwin) -> list[int]:
    return [sequence_of(each) for each in nakadi.stored]


def test_each_event_type_gets_its_own_and_a_key_is_in_order_in_each(desk: Counter) -> None:
    order = [5, 9, 1, 8, 2, 7, 3, 4, 6]
    desk.put(*(letter(route, number, f"k{number % 2}") for number in order for route in ROUTES))
    report = desk.run()
    for nakadi in (desk.nakadi, desk.shipped, desk.paid):
        assert sorted(numbers(nakadi)) == sorted(order)
        for key in ("k0", "k1"):
            assert nakadi.sequences(key) == sorted(nakadi.sequences(key))
        assert all(len(set(each.keys)) == len(each.keys) for each in nakadi.requests)
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 27}
    assert report.event_types == {
        route.event_type: {RedriveOutcome.ACCEPTED: 9} for route in ROUTES
    }
    assert (report.exit_code, desk.source.messages) == (0, {})


@pytest.mark.parametrize(("status", "told"), [(403, "403"), (404, "404")])
def test_one_that_is_stopped_ends_its_own_part_only(
    desk: Counter, monkeypatch: pytest.MonkeyPatch, status: int, told: str
) -> None:
    monkeypatch.setattr(module, "WINDOW_LETTERS", 10)
    desk.shipped.script = lambda _: Reply(status)
    desk.put(*(letter(ROUTES[number % 3], number) for number in range(60)))
    report = desk.run()
    assert sorted(numbers(desk.nakadi)) == list(range(0, 60, 3))
    assert sorted(numbers(desk.paid)) == list(range(2, 60, 3))
    assert len(desk.shipped.requests) == 1
    assert report.ended is None
    assert told in report.ended_parts[SHIPPED.event_type]
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 40, RedriveOutcome.UNSENT: 20}
    assert (report.exit_code, report.unsettled, len(desk.source.messages)) == (1, 0, 20)
    assert report.names[RedriveOutcome.UNSENT][0].startswith("m1: shop.shipped: Nakadi answered")


def test_one_that_is_down_ends_its_own_part_only(desk: Counter) -> None:
    desk.nakadi.script = lambda _: Reply(503)
    desk.put(*(letter(ROUTES[number % 3], number) for number in range(30)))
    report = desk.run()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 20, RedriveOutcome.UNSENT: 10}
    assert "http_503" in report.ended_parts[ORDER.event_type]
    assert (report.exit_code, report.ended) == (1, None)
    assert PATIENCE_SECONDS < desk.seconds < PATIENCE_SECONDS + 60


def test_the_run_ends_with_the_last_one(desk: Counter) -> None:
    for nakadi in (desk.nakadi, desk.shipped, desk.paid):
        nakadi.script = lambda _: Reply(403)
    desk.put(*(letter(ROUTES[number % 3], number) for number in range(30)))
    report = desk.run()
    assert report.ended == "no event type takes events"
    assert sorted(report.ended_parts) == [ORDER.event_type, PAID.event_type, SHIPPED.event_type]
    assert report.outcomes[RedriveOutcome.UNSENT] + report.unsettled == 30
    assert (report.exit_code, len(desk.source.messages)) == (1, 30)


def test_what_is_not_sent_counts_for_nobody(desk: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_LETTERS", 1)
    monkeypatch.setattr(module, "PER_RECEPTION", 1)
    desk.nakadi.script = lambda _: Reply(403)
    desk.put(*(letter(ORDER, number) for number in range(10)), letter(PAID, 50))
    report = desk.run(max_messages=2)
    assert numbers(desk.paid) == [50]
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 1, RedriveOutcome.UNSENT: 10}


def test_what_is_refused_in_one_is_no_matter_to_the_others(desk: Counter) -> None:
    desk.others[PAID.event_type] = refusing(3)
    desk.put(*(letter(route, number, "k") for number in range(1, 6) for route in (ORDER, PAID)))
    report = desk.run()
    assert numbers(desk.nakadi) == [1, 2, 3, 4, 5]
    assert numbers(desk.paid) == [1, 2, 4, 5]
    assert report.event_types[PAID.event_type] == {
        RedriveOutcome.ACCEPTED: 4,
        RedriveOutcome.REFUSED: 1,
    }
    assert (report.refusals, report.exit_code) == ({"validation": 1}, 1)


def test_the_budget_is_that_of_all(desk: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WINDOW_BYTES", 5_000)
    desk.put(*(letter(ROUTES[number % 3], number, text="x" * 1000) for number in range(60)))
    report = desk.run()
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 60}
    sent = [len(each.bodies) for each in (*desk.nakadi.requests, *desk.paid.requests)]
    assert max(sent) <= 5


def test_called_off_all_parts_end(desk: Counter) -> None:
    desk.put(*(letter(ROUTES[number % 3], number, "k") for number in range(60)))
    report = desk.run(stop_at=9)
    assert report.ended == "it was called off"
    assert report.unsettled == 60 - report.outcomes[RedriveOutcome.ACCEPTED] > 0
    assert len(desk.source.messages) == report.unsettled


# -- a letter that is asked of all routes: one message, several events


@pytest.fixture
def everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each letter make an event for each route: what is tested is what becomes of them."""
    examine = Examiner.examine

    def for_all(self: Examiner, message: QueuedMessage) -> Deliverable | Kept:
        found = examine(self, message)
        if isinstance(found, Kept):
            return found
        (first,) = found.events
        events = (RouteEvent(each.event_type, first.event, "k") for each in ROUTES)
        return replace(found, events=tuple(events))

    monkeypatch.setattr(Examiner, "examine", for_all)


@pytest.mark.usefixtures("everywhere")
def test_a_message_is_deleted_when_all_of_its_events_are_stored(desk: Counter) -> None:
    deleted_at: list[float] = []
    desk.paid.script = lambda _: Reply(delay=5.0)
    desk.put(letter(ORDER, 1))

    def progressed(_: RedriveReport) -> None:
        if not desk.source.messages:
            deleted_at.append(desk.source.clock.now())

    report = desk.run(progressed=progressed)
    assert report.outcomes == {RedriveOutcome.ACCEPTED: 1}
    assert report.event_types.keys() == {route.event_type for route in ROUTES}
    assert min(deleted_at) >= 5.0


@pytest.mark.usefixtures("everywhere")
@pytest.mark.parametrize("slow", [False, True])
def test_a_message_stays_if_one_of_its_events_is_refused(desk: Counter, *, slow: bool) -> None:
    desk.shipped.script = lambda _: Reply(400)
    if slow:
        desk.paid.script = lambda _: Reply(delay=30.0)
    desk.put(letter(ORDER, 1))
    report = desk.run()
    assert (numbers(desk.nakadi), numbers(desk.paid)) == ([1], [1])
    assert report.outcomes == {RedriveOutcome.REFUSED: 1}
    assert (len(desk.source.messages), report.exit_code) == (1, 1)


@pytest.mark.usefixtures("everywhere")
def test_a_message_stays_if_one_of_its_event_types_is_stopped(desk: Counter) -> None:
    desk.shipped.script = lambda _: Reply(403)
    desk.put(letter(ORDER, 1))
    report = desk.run()
    assert report.outcomes == {RedriveOutcome.UNSENT: 1}
    assert (len(desk.source.messages), report.unsettled) == (1, 0)


def test_the_limits_of_each_route_are_its_own(desk: Counter) -> None:
    few = replace(PAID, limits=PublishLimits(batch_events=2))
    desk.put(*(letter(route, number) for number in range(10) for route in (ORDER, few)))
    desk.redrive(routes=(ORDER, SHIPPED, few))
    assert max(len(each.bodies) for each in desk.paid.requests) == 2
    assert max(len(each.bodies) for each in desk.nakadi.requests) == 10
