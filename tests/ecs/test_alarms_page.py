"""ecs/README.md says of each alarm and metric what the template says."""

import re

from consumer.observability.embedded_metrics import EmbeddedMetrics
from consumer.observability.metrics import Metrics
from consumer.observability.publishing_metrics import PublishingMetrics
from tests.ecs.test_template import README, ROOT, stack

RUNBOOK = (ROOT / "docs" / "runbook.md").read_text()

MISSING = {
    "missing": "ends without a state (`INSUFFICIENT_DATA`)",
    "breaching": "fires",
    "ignore": "keeps the state",
    "notBreaching": "counts as good",
}
MINUTES = re.compile(r"for (\d+) min")


def test_missing_data_and_times_of_the_alarms() -> None:
    rows = dict(re.findall(r"^\| `…(-[a-z-]+)`[^|]* \| (.*) \|$", README, re.MULTILINE))
    for alarm in stack(RedriveSchedule="rate(1 day)").resources.values():
        if "ComparisonOperator" not in alarm:
            continue
        fires, missing = rows.pop(alarm["AlarmName"].removeprefix("order-relay")).rsplit(" | ", 1)
        assert missing.startswith(MISSING[alarm["TreatMissingData"]])
        (period,) = {
            each.get("Period") or each["MetricStat"]["Period"]
            for each in alarm.get("Metrics", [alarm])
            if "Period" in each or "MetricStat" in each
        }
        for minutes in MINUTES.findall(fires):
            assert alarm["EvaluationPeriods"] * period == 60 * int(minutes)
    assert rows == {}


def test_the_pages_name_every_metric() -> None:
    metrics = Metrics()
    for gauge in (metrics.iterator_age_seconds, metrics.retention_headroom_seconds):
        gauge.labels(stream="orders/2026").set(1.0)
    metrics.stream_enabled.labels(stream="orders/2026").set(1)
    PublishingMetrics(metrics, "order-store.order")
    written = {name for name in EmbeddedMetrics("n", "a", metrics).line(0.0) if name[0].isupper()}
    written.remove("Application")  # the dimension
    cells = re.findall(r"^\| (`[A-Z][^|]*) \|", README.split("\n## Metrics\n")[1], re.MULTILINE)
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == written
    chapter = RUNBOOK.split("\n## CloudWatch\n")[1].split("\n```")[0]
    assert written <= set(re.findall(r"`(\w+)`", chapter))
    assert len(written) == 10
    assert "ten metrics" in " ".join(README.split())
    assert "| 10 metrics, " in README
