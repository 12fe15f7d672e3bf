"""What the preflight knows of a filter before the start."""

from __future__ import annotations

import pytest
from structlog.testing import capture_logs

from consumer.core.event.event import EventFormat
from consumer.core.limits import PublishLimits
from consumer.core.routes.filters.lambda_filter import Filter, read_filter
from consumer.core.routes.route import Route
from consumer.core.stream.stream import ViewType
from consumer.preflight import shape, tell_doubts


def route_of(asked: Filter | None) -> Route:
    form = EventFormat("a.b", ("id",))
    return Route("a.b", form, PublishLimits(), ("id",), asked, name="orders")


def test_each_doubt_about_a_filter_is_a_warning_without_its_values() -> None:
    asked = read_filter(
        {
            "item": {"n": {"N": [7]}, "name": {"S": ["mary.smith"]}},
            "dynamodb": {"NewImage": {"m": {"N": [{"anything-but": 8}]}}},
        },
        from_yaml=False,
    )
    with capture_logs() as logs:
        tell_doubts([route_of(asked)])
    assert [(log["event"], log["log_level"], log["place"]) for log in logs] == [
        ("filter_doubtful", "warning", "item.n.N"),
        ("filter_doubtful", "warning", "dynamodb.NewImage.m.N"),
    ]
    assert "never matches" in logs[0]["detail"]
    assert "matches every value" in logs[1]["detail"]
    assert {log["setting"] for log in logs} == {"CONSUMER_ROUTES, route orders, filter"}
    assert "mary" not in repr(logs)


def test_no_filter_and_one_beyond_doubt_are_not_mentioned() -> None:
    with capture_logs() as logs:
        tell_doubts([route_of(None)])
        tell_doubts([route_of(read_filter({"item": {"n": {"N": ["7"]}}}))])
    assert logs == []


@pytest.mark.parametrize(
    ("value", "crossings"),
    [
        (None, False),
        ({"item": {"status": {"S": ["PAID"]}}}, True),
        ({"item": {"id": {"S": ["x"]}}}, False),  # a key never changes
        ({"dynamodb": {"NewImage": {"status": {"S": ["PAID"]}}}}, False),
    ],
)
def test_events_of_a_view_of_more_than_keys_may_cross(value: object, *, crossings: bool) -> None:
    asked = None if value is None else read_filter(value)
    assert shape(route_of(asked), ViewType.NEW_AND_OLD_IMAGES).crossings is crossings
