"""Grafana's JSON, as much of it as the dashboard needs: panels, placed on 24 columns."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

Json = dict[str, object]

SCHEMA_VERSION: Final = 41  # of Grafana 12
COLUMNS: Final = 24
DATASOURCE: Final[Json] = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True, slots=True)
class Query:
    """PromQL, and what to call its series."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """`steps` are thresholds with their colours; `width` is in columns, `height` in rows of 30 px.

    `kind` is timeseries, stat or table. A table shows the latest values, as a matrix of the two
    labels `matrix` (rows, columns) if those are given.
    """

    title: str
    text: str
    queries: tuple[Query, ...]
    unit: str = "short"
    kind: str = "timeseries"
    width: int = 8
    height: int = 8
    steps: tuple[tuple[str, float], ...] = ()
    stacked: bool = False
    decimals: int | None = None
    matrix: tuple[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def placed(rows: Sequence[Row]) -> list[Json]:
    """All panels from left to right, line by line, each row under its heading."""
    made: list[Json] = []
    top = 0
    for row in rows:
        where: Json = {"h": 1, "w": COLUMNS, "x": 0, "y": top}
        made.append(
            {"id": len(made) + 1, "type": "row", "title": row.title, "collapsed": False}
            | {"gridPos": where, "panels": []}
        )
        top, left, height = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left, height = top + height, 0, 0
            where = {"h": panel.height, "w": panel.width, "x": left, "y": top}
            made.append(_panel(panel, len(made) + 1, where))
            left, height = left + panel.width, max(height, panel.height)
        top += height
    return made


def _panel(panel: Panel, number: int, where: Json) -> Json:
    made: Json = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "datasource": DATASOURCE,
        "gridPos": where,
        "targets": [
            _target(query, chr(ord("A") + index), table=panel.kind == "table")
            for index, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }
    if panel.kind == "table":
        made["transformations"] = [_transformation(panel)]
    return made


def _transformation(panel: Panel) -> Json:
    if panel.matrix is None:
        return {"id": "organize", "options": {"excludeByName": {"Time": True}}}
    row, column = panel.matrix
    options: Json = {"rowField": row, "columnField": column, "valueField": "Value"}
    return {"id": "groupingToMatrix", "options": options}


def _target(query: Query, letter: str, *, table: bool) -> Json:
    made: Json = {
        "refId": letter,
        "datasource": DATASOURCE,
        "editorMode": "code",
        "expr": query.expression,
        "legendFormat": query.legend or "__auto",
        "range": not table,
        "instant": table,
    }
    return made | ({"format": "table"} if table else {})


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    steps += [{"color": colour, "value": value} for colour, value in panel.steps]
    made: Json = {
        "unit": panel.unit,
        "min": 0,
        "color": {"mode": "thresholds" if panel.kind == "stat" else "palette-classic"},
        "thresholds": {"mode": "absolute", "steps": steps},
    }
    if panel.decimals is not None:
        made["decimals"] = panel.decimals
    if panel.kind == "timeseries":
        made["custom"] = {
            "drawStyle": "line",
            "lineWidth": 1,
            "fillOpacity": 30 if panel.stacked else 8,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if panel.stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "line" if panel.steps else "off"},
        }
    return made


def _options(panel: Panel) -> Json:
    match panel.kind:
        case "timeseries":
            return {
                "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
                "tooltip": {"mode": "multi", "sort": "desc"},
            }
        case "stat":
            return {
                "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
                "colorMode": "background",
                "graphMode": "area",
                "justifyMode": "auto",
                "textMode": "auto",
                "orientation": "auto",
            }
        case _:
            return {"showHeader": True, "cellHeight": "sm"}
