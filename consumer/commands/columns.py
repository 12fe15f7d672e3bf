"""Formats rows of cells as text with aligned columns."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from consumer.core.printable import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

GAP = "  "


def columns(rows: Sequence[Sequence[str]], last_width: int | None = None) -> str:
    """Return lines with aligned columns; the last column is wrapped if `last_width` is given.

    A cell takes no part in the layout: its line breaks are shown as text.
    """
    rows = [[printable(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)][:-1]
    indent = " " * sum(width + len(GAP) for width in widths)
    lines = []
    for row in rows:
        front = "".join(
            cell.ljust(width) + GAP for cell, width in zip(row[:-1], widths, strict=True)
        )
        last = [row[-1]] if last_width is None else _wrapped(row[-1], last_width)
        lines += [(front + last[0]).rstrip(), *(indent + more for more in last[1:])]
    return "".join(f"{line}\n" for line in lines)


def _wrapped(text: str, width: int) -> list[str]:
    """Wrap a text; an ARN or a name with hyphens stays in one piece, so that it can be copied."""
    return textwrap.wrap(text, width, break_long_words=False, break_on_hyphens=False) or [""]
