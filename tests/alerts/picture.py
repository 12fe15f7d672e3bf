"""Draws the dashboard from real query results, since no Grafana is at hand.

python -m tests.alerts.panels --keep results.json
python -m tests.alerts.picture results.json docs/dashboard.svg

A drawing in the manner of Grafana, panel for panel where the file puts it, and it says so.
"""

import json
import math
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

from localdev.observability.dashboard import FILE
from tests.alerts.prometheus import Series

COLUMN, LINE, GAP = 56.0, 24.0, 4.0
HEAD = 64.0
COLOURS = ("#73bf69", "#f2cc0c", "#5794f2", "#ff9830", "#f2495c", "#b877d9", "#37872d", "#8ab8ff")
STEPS = {"green": "#1a7f37", "yellow": "#9a6700", "orange": "#bc4c00", "red": "#b3261e"}
CAPTION = (
    "Drawn by tests/alerts/picture.py from real query results, not a screenshot of Grafana: "
    "three workers under 200 changes/s for a minute,"
)
TROUBLES = (
    "while Nakadi failed in six ways, the stream was trimmed and throttled, one worker was killed "
    "and one stood still."
)


@dataclass(frozen=True, slots=True)
class Box:
    """In pixels."""

    x: float
    y: float
    width: float
    height: float


def shown(value: float, unit: str) -> str:
    """As Grafana would write it, about."""
    match unit:
        case "s" if abs(value) < 1:
            return f"{value * 1000:.0f} ms"
        case "s" if abs(value) >= 3600:
            return f"{value / 3600:.1f} h"
        case "s":
            return f"{value:.1f} s"
        case "bytes" | "Bps":
            return f"{value / 1048576:.1f} MiB" + ("/s" if unit == "Bps" else "")
        case "percentunit":
            return f"{value:.1%}"
        case "currencyUSD":
            return f"${value:.2f}"
        case "cps" | "reqps":
            return f"{value:.1f}/s"
        case _:
            return f"{value:.3g}" if value % 1 else f"{value:.0f}"


def text(x: float, y: float, what: str, size: float = 11, colour: str = "#ccccdc") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}">{escape(what)}</text>'


def rectangle(box: Box, colour: str) -> str:
    size = f'width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect x="{box.x:.1f}" y="{box.y:.1f}" {size} rx="2" fill="{colour}"/>'


def named(legend: str, labels: dict[str, str]) -> str:
    if legend == "__auto":
        return ", ".join(value for name, value in labels.items() if name != "__name__")
    return re.sub(r"\{\{(\w+)\}\}", lambda m: labels.get(m[1], ""), legend).strip()


def finite(series: Series) -> list[tuple[float, float]]:
    return [(at, value) for at, value in series[1] if math.isfinite(value)]


def lines(
    box: Box, every: Sequence[list[tuple[float, float]]], span: tuple[float, float], top: float
) -> list[str]:
    """One line for each series; `span` is from and to, `top` the value at the upper edge."""
    drawn = []
    for index, samples in enumerate(every):
        points = " ".join(
            f"{box.x + (at - span[0]) / (span[1] - span[0]) * box.width:.1f},"
            f"{box.y + box.height - min(value / top, 1) * box.height:.1f}"
            for at, value in samples
        )
        colour = COLOURS[index % len(COLOURS)]
        style = f'fill="none" stroke="{colour}" stroke-width="1.3"'
        drawn.append(f'<polyline points="{points}" {style}/>')
    return drawn


def timeseries(
    box: Box, every: list[tuple[str, Series]], unit: str, span: tuple[float, float]
) -> list[str]:
    samples = [finite(series) for _, series in every]
    top = max((value for each in samples for _, value in each), default=0.0) * 1.08 or 1.0
    plot = Box(box.x + 52, box.y + 8, box.width - 62, box.height - 34)
    drawn = []
    for part in (0.0, 0.5, 1.0):
        y = plot.y + plot.height * (1 - part)
        style = 'stroke="#2c3036" stroke-width="1"'
        drawn.append(f'<path d="M{plot.x:.1f} {y:.1f} h{plot.width:.1f}" {style}/>')
        drawn.append(text(box.x + 4, y + 4, shown(top * part, unit), 9, "#8e8e9c"))
    drawn += lines(plot, samples, span, top)
    x = plot.x
    for index, (name, _) in enumerate(every):
        width = 12 + 5.2 * len(name)
        if x + width > box.x + box.width:
            drawn.append(text(x, box.y + box.height - 8, f"+{len(every) - index}", 9, "#8e8e9c"))
            break
        bar = Box(x, box.y + box.height - 14, 8, 4)
        drawn += [rectangle(bar, COLOURS[index % len(COLOURS)])]
        drawn.append(text(x + 11, box.y + box.height - 8, name, 9))
        x += width + 4
    return drawn


def stat(box: Box, samples: list[tuple[float, float]], panel: dict[str, Any]) -> list[str]:
    defaults = panel["fieldConfig"]["defaults"]
    value = samples[-1][1] if samples else math.nan
    colour = "green"
    for step in defaults["thresholds"]["steps"]:
        if step["value"] is not None and value >= step["value"]:
            colour = step["color"]
    drawn = [rectangle(box, STEPS[colour])]
    top = max((each for _, each in samples), default=0.0) or 1.0
    if samples:
        low = Box(box.x, box.y + box.height * 0.55, box.width, box.height * 0.42)
        drawn += lines(low, [samples], (samples[0][0], samples[-1][0]), top)
    drawn.append(text(box.x + 12, box.y + 34, shown(value, defaults["unit"]), 24, "#ffffff"))
    return drawn


def table(box: Box, every: list[tuple[str, Series]], unit: str) -> list[str]:
    rows = [(name, samples[-1][1]) for name, each in every if (samples := finite(each))]
    rows.sort(key=lambda row: -row[1])
    drawn = []
    for index, (name, value) in enumerate(rows[: int(box.height // 16) - 1]):
        y = box.y + 16 + 16 * index
        drawn.append(text(box.x + 8, y, name, 10))
        drawn.append(text(box.x + box.width - 60, y, shown(value, unit), 10))
    return drawn


def panel_of(
    panel: dict[str, Any], answers: list[dict[str, Any]], span: tuple[float, float]
) -> str:
    at = panel["gridPos"]
    box = Box(
        at["x"] * COLUMN + GAP,
        HEAD + at["y"] * LINE + GAP,
        at["w"] * COLUMN - GAP,
        at["h"] * LINE - GAP,
    )
    if panel["type"] == "row":
        return text(box.x + 6, box.y + 15, f"▾ {panel['title']}", 13, "#ffffff")
    every = [
        (named(answer["legend"], series[0]), series)
        for answer in answers
        for series in answer["series"]
    ]
    unit = panel["fieldConfig"]["defaults"]["unit"]
    drawn = [rectangle(box, "#181b1f"), text(box.x + 8, box.y + 15, panel["title"], 11)]
    body = Box(box.x, box.y + 20, box.width, box.height - 20)
    match panel["type"]:
        case "stat":
            samples = finite(every[0][1]) if every else []
            drawn += stat(body, samples, panel)
        case "table":
            drawn += table(body, every, unit)
        case _:
            drawn += timeseries(body, every, unit, span)
    return "\n".join(drawn)


def drawing(results: list[dict[str, Any]]) -> str:
    """The whole picture."""
    panels = json.loads(FILE.read_text())["panels"]
    times = [at for each in results for _, samples in each["series"] for at, _ in samples]
    left = list(results)
    bodies = []
    for panel in panels:
        count = len(panel.get("targets", []))
        bodies.append(panel_of(panel, left[:count], (min(times), max(times))))
        left = left[count:]
    height = HEAD + LINE * max(p["gridPos"]["y"] + p["gridPos"]["h"] for p in panels) + GAP
    width = 24 * COLUMN + GAP
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        'font-family="Inter, Helvetica, Arial, sans-serif">'
    )
    return "\n".join(
        [
            opening,
            rectangle(Box(0, 0, width, height), "#111217"),
            text(10, 22, "DynamoDB to Nakadi", 17, "#ffffff"),
            text(10, 40, CAPTION, 11, "#8e8e9c"),
            text(10, 55, TROUBLES, 11, "#8e8e9c"),
            *bodies,
            "</svg>\n",
        ]
    )


def main() -> int:
    """Read the results, write the picture."""
    results, picture = map(Path, sys.argv[1:])
    picture.write_text(drawing(json.loads(results.read_text())))
    return 0


if __name__ == "__main__":
    sys.exit(main())
