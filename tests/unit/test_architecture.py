"""docs/architecture.md shows the code as it is: its folders, its layers; and no import circle."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from pathlib import Path

import grimp
import pytest

ROOT = Path(__file__).parents[2]
CONSUMER = ROOT / "consumer"
PAGE = (ROOT / "docs" / "architecture.md").read_text()
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"][
    "contracts"
]


_BLOCK = r"\n```\n(.*?)\n```"
_FOLDER = re.compile(r"(?P<lines>[│ ├└─]*)(?P<name>\w+)/(?: |$)")
_INDENT = 4


def drawn_folders() -> set[str]:
    """The tree of the page, as paths below consumer/."""
    found = re.search(rf"## The tree\n.*?{_BLOCK}", PAGE, re.DOTALL)
    assert found is not None
    first, *lines = found[1].splitlines()
    assert first == "consumer/"
    folders: set[str] = set()
    parents: list[str] = []
    for line in lines:
        folder = _FOLDER.match(line)
        assert folder is not None, line
        depth = len(folder["lines"]) // _INDENT - 1
        parents = [*parents[:depth], folder["name"]]
        folders.add("/".join(parents))
    return folders


def drawn_layers(package: str) -> list[set[str]]:
    """The layers that the page draws for a package, the topmost first."""
    found = re.search(rf"<!-- layers of {re.escape(package)} -->{_BLOCK}", PAGE, re.DOTALL)
    assert found is not None
    lines = [line.split("  ", 1)[0] for line in found[1].splitlines()]
    return [{name.strip() for name in line.split("|")} for line in lines]


def contracted_layers(package: str) -> list[set[str]]:
    """The layers that `make lint` enforces for a package, the topmost first."""
    (layers,) = (
        contract["layers"]
        for contract in CONTRACTS
        if contract["type"] == "layers" and contract.get("containers", ["consumer"]) == [package]
    )
    return [
        {name.strip().removeprefix(f"{package}.") for name in layer.split("|")} for layer in layers
    ]


def test_the_tree_of_the_page_is_that_of_the_code() -> None:
    folders = {
        path.parent.relative_to(CONSUMER).as_posix() for path in CONSUMER.rglob("__init__.py")
    }
    assert drawn_folders() == folders - {"."}


def test_every_package_with_layers_is_drawn() -> None:
    contracted = [
        contract.get("containers", ["consumer"])
        for contract in CONTRACTS
        if contract["type"] == "layers"
    ]
    drawn = re.findall(r"<!-- layers of (\S+) -->", PAGE)
    assert sorted(drawn) == sorted(name for names in contracted for name in names)


@pytest.mark.parametrize("package", ["consumer", "consumer.core", "consumer.runtime"])
def test_the_layers_of_the_page_are_those_of_the_contracts(package: str) -> None:
    assert drawn_layers(package) == contracted_layers(package)


def circles() -> set[frozenset[str]]:
    """Modules that import each other, directly or through others; imports for types count."""
    graph = grimp.build_graph("consumer", exclude_type_checking_imports=False)
    reached = {module: graph.find_upstream_modules(module) for module in graph.modules}
    groups: dict[str, set[str]] = defaultdict(set)
    for module, upstream in reached.items():
        for other in upstream:
            if module in reached[other]:
                groups[module] |= {module, other}
    return {frozenset(group) for group in groups.values()}


def test_no_module_imports_itself_through_others() -> None:
    assert circles() == set()


def test_every_way_of_the_page_names_modules_that_exist() -> None:
    linked = set(re.findall(r"\]\(\.\./(consumer/\S+?\.py)\)", PAGE))
    assert linked
    assert sorted(path for path in linked if not (ROOT / path).is_file()) == []


def test_the_glossary_gives_each_word_one_meaning() -> None:
    words = re.findall(r"^\| ([\w() -]+) \| ", PAGE.split("## Glossary", 1)[1], re.MULTILINE)
    assert words[0] == "word"
    assert words[1:] == sorted(set(words[1:]))


def test_the_folders_say_what_they_hold() -> None:
    """Each `__init__.py` is one docstring: `health` and a cold start pay for whatever else."""
    for path in CONSUMER.rglob("__init__.py"):
        body = ast.parse(path.read_text()).body
        assert isinstance(body[0], ast.Expr), path
        assert all(isinstance(node, ast.Expr | ast.Assign) for node in body), path
