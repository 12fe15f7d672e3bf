"""When a function of Lambda tells its metrics, and which."""

from typing import Any

from structlog.testing import capture_logs

from consumer.core.invocation.batch_answer import Unsettled
from consumer.observability.invocation_metrics import InvocationMetrics
from consumer.observability.metrics import Metrics

WALL = 1_790_000_000.0


def lines(logs: Any) -> list[dict[str, Any]]:
    return [each for each in logs if each["event"] == "metrics"]


def test_once_a_minute_and_whenever_something_is_unsettled() -> None:
    metrics = Metrics()
    told = InvocationMetrics("Orders", "relay", metrics)
    with capture_logs() as logs:
        told.tell(None, 100.0, WALL)
        metrics.records_read.inc(7)
        told.tell(None, 159.0, WALL)
        told.tell(Unsettled("5", 3, WALL - 90), 160.0, WALL)
        told.tell(Unsettled("5", 3, None), 161.0, WALL)
        told.tell(None, 220.0, WALL)
        told.tell(None, 221.0, WALL)
    found = [(each["IteratorAge"], each["Unsettled"], each["RecordsRead"]) for each in lines(logs)]
    assert found == [(0.0, 0, 0), (90.0, 3, 7), (0.0, 3, 0), (0.0, 0, 0)]
    units = {
        each["Name"]: each["Unit"] for each in logs[0]["_aws"]["CloudWatchMetrics"][0]["Metrics"]
    }
    assert (units["IteratorAge"], units["Unsettled"]) == ("Seconds", "Count")
    assert logs[0]["Application"] == "relay"


def test_without_a_namespace_nothing_is_told() -> None:
    with capture_logs() as logs:
        InvocationMetrics(None, "relay", Metrics()).tell(Unsettled("5", 3, None), 1.0, WALL)
    assert logs == []
