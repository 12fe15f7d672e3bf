"""CHANGELOG.md: what it says of a version."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_HEADING = re.compile(r"^## \[([^\]]+)\](.*)$", re.MULTILINE)
_DATE = re.compile(r" - \d{4}-\d\d-\d\d")


class NoSection(Exception):
    """The changelog does not say what the version brings; the text says what is missing."""


def section(file: Path, version: str) -> str:
    """Return what stands below the heading of a version. Raise NoSection."""
    text = file.read_text(encoding="utf-8")
    headings = list(_HEADING.finditer(text))
    wanted = f"## [{version}] - YEAR-MONTH-DAY"
    for heading, end in zip(
        headings, [*(each.start() for each in headings[1:]), len(text)], strict=True
    ):
        if heading[1] == version:
            if not _DATE.fullmatch(heading[2]):
                raise NoSection(f"{file.name}: the heading {heading[0]!r} must be {wanted!r}")
            if not (found := text[heading.end() : end].strip()):
                raise NoSection(f"{file.name}: nothing stands below {heading[0]!r}")
            return found
    raise NoSection(f"{file.name}: a heading {wanted!r} is missing")
