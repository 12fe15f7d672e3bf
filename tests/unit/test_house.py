"""The rules of the house. Each test is one rule; a failing one lists who breaks it.

every module says what it is                      modules are short, functions shorter
core is pure                                      tasks belong to a TaskGroup
nobody cancels, gathers, waits, shields           one broad except in the project
modules are named after nouns of the problem      nothing is left to be done later
each runtime module opens with its ownership      each core module has its own test module
values are Structs                                what is replaced is a field
"""

import ast
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import pytest

ROOT = Path(__file__).parents[2]
CONSUMER = ROOT / "consumer"

MODULE_LINES = 300
MEDIAN_LINES = 150
FUNCTION_LINES = 70

IMPURE = {"asyncio", "time", "random", "logging", "os", "socket", "threading", "secrets"}
BANNED_OF_ASYNCIO = {
    *("create_task", "ensure_future"),  # a TaskGroup starts tasks
    *("gather", "wait", "shield", "wait_for"),  # TaskGroup and asyncio.timeout
}
OPEN_A_GROUP = {"TaskGroup", "ending_group"}
BROAD = {"Exception", "BaseException"}
NO_NOUN = {"manager", "handler", "helper", "util", "common", "base"}
LATER = re.compile("|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK")))

Trees = dict[str, ast.Module]
Function = ast.FunctionDef | ast.AsyncFunctionDef


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(scope="module")
def trees() -> Trees:
    return {name_of(path): ast.parse(path.read_text()) for path in modules(CONSUMER)}


def broken(trees: Trees, rule: Callable[[ast.AST], bool]) -> list[str]:
    """Where a node of the tree breaks a rule."""
    return [
        f"{name}:{getattr(node, 'lineno', 1)}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if rule(node)
    ]


def imported(tree: ast.AST) -> Iterator[str]:
    """Top-level packages of all imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module.split(".")[0]


def last_name(node: ast.AST | None) -> str | None:
    """`c` of `a.b.c`, or of `c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def test_every_module_says_what_it_is(trees: Trees) -> None:
    assert [name for name, tree in trees.items() if not ast.get_docstring(tree)] == []


def test_no_module_is_long() -> None:
    lines = {name_of(path): len(path.read_text().splitlines()) for path in modules(CONSUMER)}
    assert {name: count for name, count in lines.items() if count > MODULE_LINES} == {}
    assert median(lines.values()) <= MEDIAN_LINES


def test_no_function_is_long(trees: Trees) -> None:
    def long(node: ast.AST) -> bool:
        return isinstance(node, Function) and (
            (node.end_lineno or node.lineno) - node.lineno >= FUNCTION_LINES
        )

    assert broken(trees, long) == []


def test_core_is_pure(trees: Trees) -> None:
    found = {
        name: sorted(IMPURE & set(imported(tree)))
        for name, tree in trees.items()
        if name.startswith("consumer/core/")
    }
    assert {name: impure for name, impure in found.items() if impure} == {}


def test_a_task_belongs_to_a_group(trees: Trees) -> None:
    """`create_task` is called on what was opened as, or declared to be, a task group."""
    stray = []
    for name, tree in trees.items():
        groups = set(task_groups(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and last_name(node.func) == "create_task":
                owner = node.func.value if isinstance(node.func, ast.Attribute) else None
                if not isinstance(owner, ast.Name) or owner.id not in groups:
                    stray.append(f"{name}:{node.lineno}")
    assert stray == []


def task_groups(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.AsyncWith):
            for item in node.items:
                call = item.context_expr
                if isinstance(call, ast.Call) and last_name(call.func) in OPEN_A_GROUP:
                    yield last_name(item.optional_vars) or ""
        elif isinstance(node, ast.arg) and last_name(node.annotation) == "TaskGroup":
            yield node.arg


def test_values_are_structs(trees: Trees) -> None:
    """A dataclass costs 0.5 ms of each start; its fields may be left out of comparisons, though."""

    def is_dataclass_without_need(node: ast.AST) -> bool:
        return (
            isinstance(node, ast.ClassDef)
            and any("dataclass" in ast.unparse(each) for each in node.decorator_list)
            and "compare=False" not in ast.unparse(node)
        )

    assert broken(trees, is_dataclass_without_need) == []


def test_what_is_replaced_is_a_field(trees: Trees) -> None:
    """The type checker does not look at the arguments of `msgspec.structs.replace`."""
    fields = {
        statement.target.id
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    }

    def replaces_none(node: ast.AST) -> bool:
        if not (isinstance(node, ast.Call) and ast.unparse(node.func) == "replace"):
            return False
        return any(each.arg is not None and each.arg not in fields for each in node.keywords)

    assert broken(trees, replaces_none) == []


def test_nobody_gathers_waits_or_shields(trees: Trees) -> None:
    def banned(node: ast.AST) -> bool:
        if isinstance(node, ast.ImportFrom):
            names = {alias.name for alias in node.names}
            return node.module == "asyncio" and bool(names & BANNED_OF_ASYNCIO)
        return (
            isinstance(node, ast.Attribute)
            and node.attr in BANNED_OF_ASYNCIO
            and isinstance(node.value, ast.Name)
            and node.value.id == "asyncio"
        )

    assert broken(trees, banned) == []


def test_nobody_cancels(trees: Trees) -> None:
    assert (
        broken(trees, lambda node: isinstance(node, ast.Attribute) and node.attr == "cancel") == []
    )


def test_one_broad_except_around_a_shard_consumer(trees: Trees) -> None:
    def broad(node: ast.AST) -> bool:
        match node:
            case ast.ExceptHandler(type=None):
                return True
            case ast.ExceptHandler(type=ast.Tuple(elts=caught)):
                return any(last_name(each) in BROAD for each in caught)
            case ast.ExceptHandler(type=caught):
                return last_name(caught) in BROAD
            case ast.Call(func=function, args=caught):
                return last_name(function) == "suppress" and any(
                    last_name(each) in BROAD for each in caught
                )
            case _:
                return False

    found = broken(trees, broad)
    assert len(found) == 1, found
    assert found[0].startswith("consumer/runtime/")
    lines = [line for path in modules(CONSUMER) for line in path.read_text().splitlines()]
    assert sum("BLE001" in line for line in lines) <= 1  # and nobody else talks ruff into one


@pytest.mark.parametrize("package", ["consumer", "localdev"])
def test_modules_are_named_after_nouns_of_the_problem(package: str) -> None:
    def words(path: Path) -> set[str]:
        stem = path.stem if path.stem != "__init__" else path.parent.name
        return {word.removesuffix("s") for word in stem.lower().split("_")}

    assert [name_of(path) for path in modules(ROOT / package) if words(path) & NO_NOUN] == []


@pytest.mark.parametrize("package", ["consumer", "localdev", "tests"])
def test_nothing_is_left_for_later(package: str) -> None:
    left = [
        f"{name_of(path)}:{number}"
        for path in modules(ROOT / package)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if LATER.search(line)
    ]
    assert left == []


def test_each_runtime_module_opens_with_its_ownership_rule(trees: Trees) -> None:
    silent = [
        name
        for name, tree in trees.items()
        if name.startswith("consumer/runtime/")
        and not name.endswith("__init__.py")
        and not re.search(r"\b(Ownership|Rules?)\b", ast.get_docstring(tree) or "")
    ]
    assert silent == []


def test_each_core_module_has_its_own_test_module() -> None:
    """In the same room: consumer/core/stream/page.py, tests/unit/core/stream/test_page.py."""
    core, tests = CONSUMER / "core", ROOT / "tests" / "unit" / "core"
    tested = {
        path.relative_to(tests).with_name(path.name.removeprefix("test_"))
        for path in modules(tests)
        if path.name.startswith("test_")
    }
    rooms = {path.relative_to(core) for path in modules(core) if path.stem != "__init__"}
    assert sorted(map(str, rooms - tested)) == []


def test_test_modules_have_names_of_their_own() -> None:
    """The tests are no packages, so pytest takes two modules of one name for the same."""
    names = Counter(path.name for path in modules(ROOT / "tests") if path.name.startswith("test_"))
    assert [name for name, count in names.items() if count > 1] == []
