"""The table that `make bench` prints."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Row:
    """One figure. `verdict` is "ok", "missed" or empty where there is no target."""

    name: str
    value: str
    target: str = ""
    verdict: str = ""
    comparison: str = ""


def at_least(name: str, value: float, target: float, text: str, comparison: str = "") -> Row:
    """A figure that should be large; `text` is how it is shown."""
    return _judged(name, text, f">= {target:,g}", comparison, met=value >= target)


def at_most(name: str, value: float, target: float, text: str, comparison: str = "") -> Row:
    """A figure that should be small."""
    return _judged(name, text, f"<= {target:,g}", comparison, met=value <= target)


def table(rows: list[Row]) -> str:
    """All rows, aligned."""
    head = Row("figure", "measured", "target", "", "for comparison")
    cells = [
        (row.name, row.value, row.target, row.verdict, row.comparison) for row in (head, *rows)
    ]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in cells
    ]
    rule = "  ".join("-" * width for width in widths)
    return "\n".join([lines[0], rule, *lines[1:]])


def _judged(name: str, text: str, target: str, comparison: str, *, met: bool) -> Row:
    return Row(name, text, target, "ok" if met else "missed", comparison)
