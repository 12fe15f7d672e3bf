"""As much of DynamoDB's update expressions as a workload needs: whole attributes."""

import re
from collections.abc import Mapping

from localdev.streams.errors import invalid
from localdev.streams.model.attribute import AttributeValue

_NAME = r"[#A-Za-z_][A-Za-z0-9_]*"
_ASSIGNMENT = re.compile(rf"\s*({_NAME})\s*=\s*(:[A-Za-z0-9_]+)\s*")
_WHOLE_NAME = re.compile(rf"\s*({_NAME})\s*")
_CLAUSE = re.compile(
    r"\s*\b(SET|REMOVE)\s+(.*?)(?=\s+(?:SET|REMOVE)\s|$)", re.DOTALL | re.IGNORECASE
)


def read_update(
    expression: str, names: Mapping[str, object], values: Mapping[str, AttributeValue]
) -> tuple[dict[str, AttributeValue], frozenset[str]]:
    """Return attributes to set and to remove.

    Raise ServiceError (validation) for everything but `SET name = :value, … REMOVE name, …`.
    """
    sets: dict[str, AttributeValue] = {}
    removes: set[str] = set()
    end = 0
    while clause := _CLAUSE.match(expression, end):
        end = clause.end()
        for part in clause[2].split(","):
            if clause[1].upper() == "SET":
                name, value = _groups(_ASSIGNMENT, part)
                sets[_resolved(name, names)] = _value(value, values)
            else:
                (name,) = _groups(_WHOLE_NAME, part)
                removes.add(_resolved(name, names))
    if not sets and not removes:  # what follows a clause is part of it, or the next
        raise _unsupported(expression)
    return sets, frozenset(removes)


def _groups(pattern: re.Pattern[str], part: str) -> tuple[str, ...]:
    found = pattern.fullmatch(part)
    if found is None:
        raise _unsupported(part)
    return found.groups()


def _resolved(name: str, names: Mapping[str, object]) -> str:
    if not name.startswith("#"):
        return name
    resolved = names.get(name)
    if not isinstance(resolved, str):
        raise invalid(f"An expression attribute name used in expression is not defined: {name}")
    return resolved


def _value(placeholder: str, values: Mapping[str, AttributeValue]) -> AttributeValue:
    if placeholder not in values:
        raise invalid(f"An expression attribute value is not defined: {placeholder}")
    return values[placeholder]


def _unsupported(text: str) -> Exception:
    return invalid(
        f"This local server knows only SET name = :value and REMOVE name, not: {text.strip()}"
    )
