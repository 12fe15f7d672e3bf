"""docs/guarantees.md names checkers, planted faults and tests that exist, and none is left out."""

import ast
import re
from pathlib import Path

from tests.simulation.mutants.hunt import MUTANTS
from tests.simulation.mutants.promises import PAGE, checkers_in, faults_in, rows

ROOT = Path(__file__).parents[2]


def checkers() -> set[str]:
    """The first argument of each call of `fail` in the simulation."""
    found = set()
    for path in (ROOT / "tests" / "simulation").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "fail":
                name = node.args[0]
                assert isinstance(name, ast.Constant)
                found.add(str(name.value))
    return found


def test_every_checker_is_named_and_every_name_is_a_checker() -> None:
    assert {name for row in rows() for name in checkers_in(row)} == checkers()


def test_every_planted_fault_is_named_and_every_name_is_a_fault() -> None:
    named = {name for row in rows() for name in faults_in(row)}
    assert named == {mutant.__name__.replace("_", " ") for mutant in MUTANTS}


def test_every_promise_has_a_row_and_its_tests_exist() -> None:
    above = PAGE.read_text().split("# What is not promised")[0]
    promised = set(re.findall(r"^\| ([A-Z]\w+) \|", above, re.MULTILINE))
    assert promised <= {row[0] for row in rows()}
    links = [link for row in rows() for link in re.findall(r"\]\(([^)]+)\)", row[3])]
    assert len(links) >= len(rows())
    assert [link for link in links if not (PAGE.parent / link).exists()] == []
