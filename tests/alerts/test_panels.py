"""The dashboard: its file is what the code makes, every query returns data from real workers."""

import json
from pathlib import Path
from typing import Any

import pytest

from consumer.metrics import Metrics
from localdev.observability.dashboard import FILE, text
from tests.alerts import panels
from tests.alerts.prometheus import needed
from tests.alerts.promql import metric_names
from tests.unit.test_metrics import exported, touch_everything

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


@pytest.mark.slow
def test_every_query_returns_data_from_workers_in_trouble(tmp_path: Path) -> None:
    needed("prometheus")
    answered = panels.answers(tmp_path, print)
    assert {f"{each.panel}: {each.expression}": each.fault for each in answered if each.fault} == {}
    assert len(answered) > 40
