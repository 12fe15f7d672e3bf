"""Every warning and every error says what the operator has to do: its `action`."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "logs.md").read_text().partition("\n## What to do\n")[2]
LOGGERS = {"log", "conditions", "self._conditions"}
PASSED_ON = "conditions.py"  # it logs what others tell it, with their actions
LOUD = {"warning", "error", "exception", "critical", "failed", "example"}
SPOKEN_AS = {"exception": "error", "failed": "warning", "example": "warning"}
NOTHING = re.compile(r"nothing( here)?; .{15,}")
VERBS = {
    "compare", "create", "delete", "enable", "find", "give", "have", "keep", "let", "look", "raise",
    "remove", "repair", "report", "run", "set", "stop", "unset", "use",
}  # fmt: skip
Function = ast.FunctionDef | ast.AsyncFunctionDef
TOLD_ELSEWHERE = {"event_type_doubtful": "a check's remedy: tests/unit/core/preflight holds them"}


class Call(NamedTuple):
    """A call of a logger at a loud level."""

    where: str
    event: str
    level: str
    action: ast.expr | None
    module: ast.Module
    function: Function | None = None

    @property
    def actions(self) -> list[str]:
        """What it may say is to be done. A name is first looked up in the call's own function."""
        values: list[ast.expr | None] = [self.action]
        if self.function is not None and isinstance(self.action, ast.Name):
            values = [*assigned(self.action.id, self.function)] or values
        return [text for each in values for text in texts(each, self.module)]


def calls(path: Path) -> Iterator[Call]:
    module = ast.parse(path.read_text())
    functions = {
        id(inner): node  # the innermost one: outer functions are walked first
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for inner in ast.walk(node)
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            if node.func.attr not in LOUD or ast.unparse(node.func.value) not in LOGGERS:
                continue
            event = ast.literal_eval(node.args[0])
            action = next((word.value for word in node.keywords if word.arg == "action"), None)
            level = SPOKEN_AS.get(node.func.attr, node.func.attr)
            where, function = f"{path.name}:{node.lineno}", functions.get(id(node))
            yield Call(where, str(event), level, action, module, function)


def aliases(path: Path) -> Iterator[str]:
    """Yield the places where a loud level is not called at once, so that its calls are not seen."""
    module = ast.parse(path.read_text())
    called = {id(node.func) for node in ast.walk(module) if isinstance(node, ast.Call)}
    for node in ast.walk(module):
        if not isinstance(node, ast.Attribute) or id(node) in called:
            continue
        if node.attr in LOUD and ast.unparse(node.value) == "log":
            yield f"{path.name}:{node.lineno}"


def every_call() -> list[Call]:
    paths = sorted((ROOT / "consumer").rglob("*.py"))
    return [call for path in paths if path.name != PASSED_ON for call in calls(path)]


def texts(value: ast.expr | None, module: ast.Module) -> list[str]:
    """Return what an action may be, with `…` for what is only known when it is logged."""
    match value:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.JoinedStr(values=parts):
            found = [""]
            for part in parts:
                ends = texts(part, module) or ["…"]
                found = [begin + end for begin in found for end in ends]
            return found
        case ast.FormattedValue(value=inner):
            return texts(inner, module)
        case ast.Call(func=ast.Attribute(value=ast.Name() as table, attr="get"), args=arguments):
            return [text for each in (table, *arguments[1:]) for text in texts(each, module)]
        case ast.Call(func=ast.Attribute(value=ast.Name(id="self"), attr=name) | ast.Name(id=name)):
            return [text for each in returned(name, module) for text in texts(each, module)]
        case ast.Subscript(value=ast.Name() as table):
            return texts(table, module)
        case ast.Name(id=name):
            found_values = assigned(name, module) or passed(name, module)
            return [text for each in found_values for text in texts(each, module)]
        case ast.IfExp(body=either, orelse=other):
            return [text for each in (either, other) for text in texts(each, module)]
        case ast.Dict(values=values):
            return [text for each in values for text in texts(each, module)]
        case _:
            return []


def assigned(name: str, module: ast.AST) -> list[ast.expr]:
    """Return the values that a module, or a function in it, assigns to a name or imports."""
    found: list[ast.expr] = []
    for node in ast.walk(module):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if name in map(ast.unparse, targets):
                found.append(node.value)
        if isinstance(node, ast.ImportFrom) and name in {alias.name for alias in node.names}:
            path = ROOT / f"{(node.module or '').replace('.', '/')}.py"
            found += assigned(name, ast.parse(path.read_text())) if path.is_file() else []
    return found


def returned(name: str, module: ast.Module) -> list[ast.expr]:
    """Return what a function of the module returns."""
    return [
        each.value
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and node.name == name
        for each in ast.walk(node)
        if isinstance(each, ast.Return) and each.value is not None
    ]


def passed(name: str, module: ast.Module) -> list[ast.expr]:
    """Return what the module passes to its methods as the parameter `name`."""
    places = {
        node.name: [each.arg for each in node.args.args].index(name) - 1  # without `self`
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and name in [each.arg for each in node.args.args]
    }
    return [
        node.args[places[node.func.attr]]
        for node in ast.walk(module)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in places
        and len(node.args) > places[node.func.attr]
    ]


def says_what_to_do(text: str) -> bool:
    """Return whether an action begins with `nothing;` or with what the operator has to do."""
    first, words = text.split(" ", 1)[0].rstrip(":;,"), text.split()
    spoken = NOTHING.match(text) is not None or (first in VERBS and len(words) > 4)
    return spoken and not text.endswith(".")


def test_every_loud_line_has_an_action() -> None:
    assert [f"{call.where} {call.event}" for call in every_call() if call.action is None] == []
    assert [at for path in (ROOT / "consumer").rglob("*.py") for at in aliases(path)] == []


def test_every_action_says_what_to_do_or_that_nothing_is_to_be_done() -> None:
    found = [(call, call.actions) for call in every_call() if call.event not in TOLD_ELSEWHERE]
    assert len(found) > 35
    assert [f"{call.where} {call.event}" for call, said in found if not said] == []
    assert [text for _, said in found for text in said if not says_what_to_do(text)] == []


def rows() -> list[str]:
    """Return the rows of the table in docs/logs.md: the level and the actions of each event."""
    levels: dict[str, set[str]] = {}
    actions: dict[str, set[str]] = {}
    for call in every_call():
        if call.event not in TOLD_ELSEWHERE:
            levels.setdefault(call.event, set()).add(call.level)
            actions.setdefault(call.event, set()).update(call.actions)
    return [
        f"| `{event}` | {' or '.join(sorted(levels[event]))} | {' · '.join(sorted(said))} |"
        for event, said in sorted(actions.items())
    ]


def test_the_page_has_every_action_as_it_is_logged() -> None:
    """If it fails: `python -m tests.unit.test_log_actions` prints the rows of the table."""
    assert re.findall(r"^\| `.*", PAGE, re.MULTILINE) == rows()


def test_an_action_is_a_sentence_and_not_a_word() -> None:
    good = ("nothing; it is read again at the next scan", "set CONSUMER_X, or remove the cause")
    bad = ("", "nothing", "none: it is tried again", "tried again", "look", "somebody looks at it.")
    assert [says_what_to_do(text) for text in (*good, *bad)] == [True] * 2 + [False] * 6


def test_every_cause_in_a_table_is_seen(tmp_path: Path) -> None:
    """What a table, a default, an import or an f-string gives is looked at, too."""
    source = tmp_path / "source.py"
    source.write_text(
        'A = {"x": "use x"}\nlog.warning("a", action=A.get(k, "b"))\n'
        'log.error("b", action=f"{A[k]}; {c}")\nlog.exception("c")\nlog.info("d")\n'
    )
    found = [(call.event, call.actions) for call in calls(source)]
    assert found == [("a", ["use x", "b"]), ("b", ["use x; …"]), ("c", [])]


def test_a_name_is_that_of_the_function_in_which_a_line_is_logged(tmp_path: Path) -> None:
    source = tmp_path / "source.py"
    source.write_text(
        "def one(k):\n    self._action = action = why(k)\n    log.warning('a', action=action)\n"
        "def other():\n    action = 'use y'\n    log.error('b', action=action)\n"
        "def why(k):\n    return 'use x'\n"
    )
    assert [(call.event, call.actions) for call in calls(source)] == [
        ("a", ["use x"]),
        ("b", ["use y"]),
    ]


if __name__ == "__main__":
    print("\n".join(rows()))


def test_no_action_names_a_setting_that_only_a_single_event_type_has() -> None:
    """Beside a list of routes it must not be set."""
    told = [text for call in every_call() for text in call.actions]
    runbook = (ROOT / "docs" / "runbook.md").read_text()
    for text in (*told, runbook):
        assert not re.search(r"CONSUMER_(EVENT_TYPE|FILTER|CHANGED|INCLUDE|EXCLUDE)\b", text)
