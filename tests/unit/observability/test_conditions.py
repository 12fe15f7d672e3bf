"""Conditions: which calls write which lines."""

from structlog.testing import capture_logs

from consumer.core.lasting import REMIND_SECONDS
from consumer.errors import LeaseTableGone, Retryable
from consumer.observability.conditions import Conditions


class Clock:
    seconds = 0.0

    def now(self) -> float:
        return self.seconds


def test_a_condition_from_begin_to_end() -> None:
    clock = Clock()
    conditions = Conditions(clock.now)
    with capture_logs() as lines:
        for clock.seconds in (0.0, 1.0, REMIND_SECONDS):
            conditions.warning("unread", stream="t/1", reason=f"r{clock.seconds:g}", action="a")
            assert conditions.holds("unread")
        clock.seconds += 1.04
        conditions.over("unread", stream="t/2")
        conditions.over("unread", stream="t/1")
        conditions.over("unread", stream="t/1")
    first = {"event": "unread", "log_level": "warning", "stream": "t/1", "action": "a"}
    assert lines == [
        {**first, "reason": "r0"},
        {**first, "reason": "r300", "lasts_seconds": 300.0},
        {
            "event": "condition_over", "log_level": "info", "condition": "unread",
            "stream": "t/1", "lasts_seconds": 301.0,
        },
    ]  # fmt: skip
    assert not conditions.holds("unread")


def test_fields_that_name_nothing_may_change() -> None:
    conditions = Conditions(Clock().now)
    with capture_logs() as lines:
        for reason in ("timeout", "reset"):
            for shard in ("s1", "s2"):
                conditions.error("fails", shard=shard, reason=reason)
        conditions.over("fails", shard="s1")
    assert [(line.get("shard"), line.get("count")) for line in lines] == [
        ("s1", None), ("s2", 2), ("s1", 1),
    ]  # fmt: skip


def test_a_new_aspect_and_an_impatient_warning() -> None:
    conditions = Conditions(Clock().now)
    with capture_logs() as lines:
        for reason in ("http_404", "http_404", "http_403"):
            conditions.error("stopped", reason=reason, aspect=reason)
        conditions.warning("waits", patience=60.0)
    assert [line["reason"] for line in lines] == ["http_404", "http_403"]
    assert all("aspect" not in line for line in lines)


def test_an_end_may_be_told_by_an_event_of_its_own() -> None:
    clock = Clock()
    conditions = Conditions(clock.now)
    with capture_logs() as lines:
        conditions.error("unable")
        clock.seconds = 90.0
        assert conditions.lasted("unable") == 90.0
        assert conditions.lasted("unable") is None
    assert [line["event"] for line in lines] == ["unable"]


def test_an_exception_has_its_traceback_once() -> None:
    conditions = Conditions(Clock().now)
    with capture_logs() as lines:
        for _ in range(3):
            try:
                print(1 // 0)
            except ZeroDivisionError:
                conditions.exception("failed", shard="s1")
    assert [(line["event"], line["exc_info"]) for line in lines] == [("failed", True)]


def test_a_call_that_fails_without_its_table_is_no_condition_of_its_own() -> None:
    conditions = Conditions(Clock().now)
    with capture_logs() as lines:
        conditions.failed("unread", LeaseTableGone("no table"), action="a")
        assert not conditions.holds("unread")
        conditions.failed("unread", Retryable("no", "throttled"), action="a")
    assert [line["reason"] for line in lines] == ["throttled"]
