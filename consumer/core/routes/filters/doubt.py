"""Doubts about a pattern: what AWS accepts, and what can never match or always does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.routes.filters.place import IMAGES, LEAF_TYPES, Place, place_of
from consumer.core.routes.language.bad_pattern import Doubt
from consumer.core.routes.language.scalar import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.core.routes.language.expression import Expression
    from consumer.core.routes.language.pattern import Leaf

_NAMED = {
    "eventName": frozenset({"INSERT", "MODIFY", "REMOVE"}),
    "eventSource": frozenset({"aws:dynamodb"}),
}
"""Members of which all values are known."""


def doubts_of(path: str, leaf: Leaf) -> Iterator[Doubt]:
    """Yield what is doubtful about what a path says."""
    place = place_of(path)
    for expression in leaf:
        reason = _of(expression, path, place)
        if reason is not None:
            yield Doubt(path, reason)


def _of(expression: Expression, path: str, place: Place | None) -> str | None:
    operator = expression.operator
    if place is None:
        outcome = "always" if expression.absent else "never"
        return f"{operator} {outcome} matches, because {_no_leaf(path)}"
    if expression.absent:
        return None
    kind = place.kind
    if kind in expression.always:
        return f"{operator} matches every value, because {_holds(kind, path)}"
    if kind not in expression.can_match:
        return f"{operator} never matches, because {_holds(kind, path)}"
    known = _NAMED.get(path)
    if known and expression.equals is not None and expression.equals not in known:
        return f"{operator} never matches, because {path} is {', '.join(sorted(known))} only"
    return None


def _no_leaf(path: str) -> str:
    for image in IMAGES:
        if path == image.value or path.startswith(f"{image.value}."):
            types = ", ".join(LEAF_TYPES)
            return f"it is an object, or is not there: a path in an image ends in a type ({types})"
    return "a stream record has no such member"


def _holds(kind: Kind, path: str) -> str:
    hint = ' (a number is written as text there: "7")' if kind is Kind.TEXT else ""
    return f"{path} holds {kind.value}{hint}"
