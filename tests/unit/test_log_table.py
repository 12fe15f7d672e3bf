"""docs/logs.md lists every event that is logged, and no other; a field name has one meaning."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
TABLE = (ROOT / "docs" / "logs.md").read_text()
LEVELS = {"debug", "info", "warning", "error", "exception", "failed", "example"}
LOGGERS = {"log", "self._log", "self._conditions", "conditions"}
CALLED = LEVELS | {"_log"}
NO_FIELDS = {"aspect", "patience"}  # of conditions: whether a line is due
NOT_OURS = {"library_message"}  # made by consumer.observability.logs of what libraries say


@cache
def logged() -> dict[str, set[str]]:
    """Fields by event, from the source: `log.info("lease_gone", stream=…)` and its likes."""
    events: dict[str, set[str]] = defaultdict(set)
    for path in sorted((ROOT / "consumer").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not node.args:
                continue
            if getattr(node.func, "attr", getattr(node.func, "id", "")) not in CALLED:
                continue
            name = ast.unparse(node.func)
            base, _, last = name.rpartition(".")
            if not (name in LOGGERS or (base in LOGGERS and last in LEVELS)):
                continue
            event = node.args[0]
            if isinstance(event, ast.Constant):
                fields = {keyword.arg for keyword in node.keywords if keyword.arg} - NO_FIELDS
                fields |= {"reason", "detail"} if last == "failed" else set()
                fields |= {"exception"} if last == "exception" else set()
                events[str(event.value)] |= fields | ({"stream", "shard"} & {*wrapped(name)})
    return events


def wrapped(name: str) -> tuple[str, ...]:
    """What a shard's own logger adds."""
    return ("stream", "shard") if name == "self._log" else ()


def rows(heading: str) -> dict[str, list[str]]:
    """The cells of a table by what its first column names."""
    part = TABLE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    found = re.findall(r"^\| `(\w+)` \|(.*)\|$", part, re.MULTILINE)
    return {name: [cell.strip() for cell in rest.split("|")] for name, rest in found}


def test_every_event_is_in_the_table() -> None:
    assert sorted(rows("Events")) == sorted(logged().keys() | NOT_OURS)


def test_the_table_names_the_fields_of_each_event() -> None:
    told = {event: set(re.findall(r"`(\w+)`", cells[0])) for event, cells in rows("Events").items()}
    shown = {event: fields for event, fields in told.items() if event in logged()}
    # What a dictionary adds (`**facts`) is not seen in the source: it may be told, not omitted.
    missing = {event: fields - shown[event] for event, fields in logged().items()}
    assert {event: fields for event, fields in missing.items() if fields} == {}


def test_every_field_has_one_meaning() -> None:
    used = {field for fields in logged().values() for field in fields}
    assert sorted(used - rows("Fields").keys()) == []


def test_a_reason_is_a_word_and_a_detail_a_sentence() -> None:
    """What is made of an exception is a sentence: its field is `detail`."""
    sentences = [
        f"{path.name}:{node.lineno}"
        for path in sorted((ROOT / "consumer").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[0] in LOGGERS
        for word in node.keywords
        if word.arg == "reason" and re.match(r"f['\"]|str\(", ast.unparse(word.value))
    ]
    assert sentences == []
