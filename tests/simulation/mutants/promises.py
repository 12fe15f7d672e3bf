"""What docs/guarantees.md says about checkers and planted faults."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "guarantees.md"


def rows() -> list[list[str]]:
    """The cells of the table that says how each promise is tested."""
    text = PAGE.read_text().split("# How each promise is tested")[1]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def checkers_in(row: list[str]) -> set[str]:
    """The checkers that a row names."""
    return set(re.findall("`([^`]+)`", row[1]))


def faults_in(row: list[str]) -> set[str]:
    """The planted faults that a row names."""
    return {name.strip() for name in row[2].split("·")}


def checkers_for(fault: str) -> set[str]:
    """Those of the rows that a fault stands in."""
    return {name for row in rows() if fault in faults_in(row) for name in checkers_in(row)}
