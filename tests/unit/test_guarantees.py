"""docs/guarantees.md names checkers, planted faults and tests that exist, and none is left out."""

import ast
import re
from pathlib import Path

from tests.simulation.mutants.hunt import MUTANTS

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "guarantees.md"


def rows() -> list[list[str]]:
    """The cells of the table that says how each promise is tested."""
    text = PAGE.read_text().split("# How each promise is tested")[1]
    lines = [line for line in text.splitlines() if line.startswith("|")][2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def checkers() -> set[str]:
    """The first argument of each call of `fail` in the simulation."""
    found = set()
    for path in (ROOT / "tests" / "simulation").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fail":
                name = node.args[0]
                assert isinstance(name, ast.Constant)
                found.add(str(name.value))
    return found


def test_every_checker_is_named_and_every_name_is_a_checker() -> None:
    assert {name for row in rows() for name in re.findall("`([^`]+)`", row[1])} == checkers()


def test_every_planted_fault_is_named_and_every_name_is_a_fault() -> None:
    named = {name.strip() for row in rows() for name in row[2].split("·")}
    named = {name for name in named if name and not name.startswith("(")}
    assert named == {mutant.__name__.replace("_", " ") for mutant in MUTANTS}


def test_every_promise_has_a_row_and_its_tests_exist() -> None:
    above = PAGE.read_text().split("# What is not promised")[0]
    promised = set(re.findall(r"^\| ([A-Z]\w+) \|", above, re.MULTILINE))
    assert promised <= {row[0] for row in rows()}
    links = [link for row in rows() for link in re.findall(r"\]\(([^)]+)\)", row[3])]
    assert len(links) >= len(rows())
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
