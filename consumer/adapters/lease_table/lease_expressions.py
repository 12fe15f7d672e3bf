"""Conditions and updates in DynamoDB's expression language, built from attribute names and values.

Every name gets a placeholder, because several of ours (`from`, `to`, `key`) are reserved words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.adapters.lease_table.lease_rows import Attribute, RowValue, attribute

if TYPE_CHECKING:
    from collections.abc import Mapping


class Expressions:
    """Collects the conditions and updates of one request."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._values: dict[str, Attribute] = {}
        self._conditions: list[str] = []
        self._set: list[str] = []
        self._add: list[str] = []
        self._remove: list[str] = []

    def equal(self, path: str, value: RowValue) -> None:
        """Require a value at a path such as `sweep.n`; None requires that the path is absent."""
        if value is None:
            self._conditions.append(f"attribute_not_exists({self._name(path)})")
        else:
            self._conditions.append(f"{self._name(path)} = {self._value(value)}")

    def exists(self, name: str) -> None:
        """Require that the row has an attribute."""
        self._conditions.append(f"attribute_exists({self._name(name)})")

    def differs(self, name: str, value: float) -> None:
        """Require that an attribute has another value, or is absent."""
        self._conditions.append(f"{self._name(name)} <> {self._value(value)}")

    def set(self, values: Mapping[str, RowValue]) -> None:
        """Set attributes to values; None removes an attribute."""
        for name, value in values.items():
            if value is None:
                self._remove.append(self._name(name))
            else:
                self._set.append(f"{self._name(name)} = {self._value(value)}")

    def add(self, name: str, number: int) -> None:
        """Add a number to a counter."""
        self._add.append(f"{self._name(name)} {self._value(number)}")

    def arguments(self) -> dict[str, object]:
        """Return the arguments of the client's call."""
        clauses = (("SET", self._set), ("ADD", self._add), ("REMOVE", self._remove))
        update = " ".join(f"{verb} {', '.join(parts)}" for verb, parts in clauses if parts)
        arguments: dict[str, object] = {
            "ConditionExpression": " AND ".join(self._conditions),
            "ExpressionAttributeNames": self._names,
        }
        if update:
            arguments["UpdateExpression"] = update
        if self._values:
            arguments["ExpressionAttributeValues"] = self._values
        return arguments

    def _name(self, path: str) -> str:
        parts = path.split(".")
        for part in parts:
            self._names[f"#{part}"] = part
        return ".".join(f"#{part}" for part in parts)

    def _value(self, value: str | float | tuple[str, ...] | dict[str, float]) -> str:
        placeholder = f":v{len(self._values)}"
        self._values[placeholder] = attribute(value)
        return placeholder


def changed(before: Mapping[str, RowValue], after: Mapping[str, RowValue]) -> dict[str, RowValue]:
    """Return those values of `after` that differ from `before`."""
    return {name: value for name, value in after.items() if value != before.get(name)}
