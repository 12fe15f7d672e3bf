"""Formats events for people: a line for each attribute and for each step of the patch."""

import json
from collections.abc import Iterable, Mapping

from localdev.demo.telling import operation_of

OPERATIONS = ("C", "U", "D")


class Samples:
    """Picks the first event of each operation."""

    def __init__(self, operations: Iterable[str] = OPERATIONS) -> None:
        self._missing = set(operations)

    def pick(self, events: Iterable[Mapping[str, object]]) -> list[str]:
        """Return the texts of those events that are worth showing."""
        picked = []
        for event in events:
            if not self._missing:
                break
            operation = operation_of(json.loads(str(event["event"])))
            if operation in self._missing:
                self._missing.remove(operation)
                picked.append(str(event["event"]))
        return picked


def lines(text: str) -> list[tuple[str, bool]]:
    """Return an event's JSON as lines, each with whether it belongs to the patch."""
    event = json.loads(text)
    data = event.pop("data")
    head = [(f" {_json(name)}: {_json(value)},", False) for name, value in event.items()]
    body = [line for name, value in data.items() for line in _member(name, value)]
    last, of_patch = body.pop()
    body.append((last.rstrip(","), of_patch))
    return [("{", False), *head, (' "data": {', False), *body, (" }}", False)]


def _member(name: str, value: object) -> list[tuple[str, bool]]:
    if name != "patch" or not isinstance(value, list) or not value:
        return [(f"   {_json(name)}: {_json(value)},", False)]
    steps = [(f"     {_json(step)},", True) for step in value]
    return [('   "patch": [', True), *steps[:-1], (steps[-1][0][:-1], True), ("   ],", True)]


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
