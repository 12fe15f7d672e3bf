"""The dashboard: its file is what the code makes, every query returns data from real workers."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from consumer.observability.metrics import Metrics
from localdev.observability.dashboard import FILE, text
from localdev.observability.event_type_row import EVENT_TYPES
from tests.alerts import panels
from tests.alerts.evaluated import evaluated
from tests.alerts.prometheus import needed
from tests.alerts.promql import metric_names
from tests.unit.observability.test_metrics import exported, touch_everything

DASHBOARD: dict[str, Any] = json.loads(FILE.read_text())
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def test_the_file_is_what_the_code_makes() -> None:
    assert FILE.read_text() == text(), "python -m localdev.observability.dashboard"


def test_every_name_is_exported() -> None:
    metrics = Metrics()
    touch_everything(metrics)
    used = {name for each in panels.queries() for name in metric_names(each.expression)}
    assert used - exported(metrics).keys() == set()


def test_the_first_row_has_age_headroom_rates_and_dead_letters() -> None:
    first = [panel["title"] for panel in PANELS[:6]]
    assert first == ["Iterator age", "Retention headroom", "In", "Out", "Dead letters", "Gaps"]
    assert {panel["gridPos"]["y"] for panel in PANELS[:6]} == {1}


def test_the_variables_are_a_data_source_a_namespace_and_an_application() -> None:
    names = [variable["name"] for variable in DASHBOARD["templating"]["list"]]
    assert names[:3] == ["datasource", "namespace", "application"]
    for each in panels.queries():
        assert each.expression.count("consumer_") == each.expression.count(
            'namespace="$namespace",application="$application"'
        )


def test_no_two_panels_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        cells = {
            (at["x"] + right, at["y"] + down) for right in range(at["w"]) for down in range(at["h"])
        }
        assert not cells & taken, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    numbers = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(numbers)) == len(numbers)


def test_every_panel_explains_itself() -> None:
    assert [panel["title"] for panel in PANELS if len(panel["description"]) < 8] == []


@pytest.mark.parametrize(
    ("values", "at", "seen"),
    [
        ("_x40 4x400", "42m", 4),  # counted before the first scrape
        ("_x40 4x10 6x400", "70m", 6),
        ("7x200 9x200", "230m", 2),
        ("7x400", "230m", 0),
    ],
)
@pytest.mark.parametrize("title", ["Dead letters", "Gaps"])
def test_a_headline_counts_what_is_new(
    tmp_path: Path, title: str, values: str, at: str, seen: int
) -> None:
    expression = next(each.expression for each in panels.queries() if each.panel == title)
    expression = expression.replace("$__range", "3600s")
    (name,) = metric_names(expression)
    labels = 'namespace="$namespace",application="$application",reason="trimmed"'
    sample = {"labels": "{}", "value": seen}
    test = {
        "interval": "1m",
        "input_series": [{"series": f"{name}{{{labels}}}", "values": values}],
        "promql_expr_test": [{"expr": expression, "eval_time": at, "exp_samples": [sample]}],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump({"rule_files": [], "tests": [test]}))
    command = [needed("promtool"), "test", "rules", str(tmp_path / "test.yml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("event_types", [("",), ("orders",), ("orders", "payments", "customers")])
@pytest.mark.parametrize(
    ("title", "name", "labels", "values", "seen"),
    [
        ("Out", "events_published_total", "", "0+120x9", 2),
        ("Sent again", "publish_retries_total", ',reason="http_503"', "0+120x9", 2),
        ("Events in memory", "queue_events", "", "40x9", 40),
        ("Requests in flight, hot keys", "publish_in_flight", "", "5x9", 5),
    ],
)
def test_a_panel_sums_over_event_types(
    tmp_path: Path,
    title: str,
    name: str,
    labels: str,
    values: str,
    seen: int,
    event_types: tuple[str, ...],
) -> None:
    """One without the label, of the version before; one with it; three."""
    of_panel = [each.expression for each in panels.queries() if each.panel == title]
    (expression,) = (each for each in of_panel if f"consumer_{name}{{" in each)
    of = f'namespace="$namespace",application="$application",pod="a"{labels}'
    series = [f'consumer_{name}{{{of},event_type="{each}"}}' for each in event_types]
    (value,) = shown(tmp_path, expression, dict.fromkeys(series, values))
    assert value == seen * len(event_types)


def test_panels_of_event_types_name_each(tmp_path: Path) -> None:
    for title in ("Taken", "Published", "Oldest event", "Waiting"):
        (expression,) = (each.expression for each in panels.queries() if each.panel == title)
        (name,) = metric_names(expression)
        of = 'namespace="$namespace",application="$application",pod="a"'
        series = {f'{name}{{{of},event_type="{each}"}}': "0+60x9" for each in ("a", "b", "c")}
        assert len(shown(tmp_path, expression, series)) == 3


def shown(folder: Path, expression: str, series: dict[str, str], at: str = "8m") -> list[float]:
    """What the panel shows."""
    expression = expression.replace("$__rate_interval", "240s").replace("$__range", "3600s")
    return evaluated(folder, expression, series, at)


@pytest.mark.slow
@pytest.mark.parametrize("routes", [False, True], ids=["one event type", "three event types"])
def test_every_query_returns_data_from_workers_in_trouble(tmp_path: Path, *, routes: bool) -> None:
    needed("prometheus")
    answered = panels.answers(tmp_path, print, routes=routes)
    assert {f"{each.panel}: {each.expression}": each.fault for each in answered if each.fault} == {}
    assert len(answered) > 40
    names = {panel.title for panel in EVENT_TYPES.panels}
    seen = {each.panel: len(each.series) for each in answered if each.panel in names}
    assert set(seen) == names
    failing = ("Requests that fail", "Refused")  # of one that has nothing to send
    expected = 3 if routes else 1
    assert {n for name, n in seen.items() if name not in failing} == {expected}
