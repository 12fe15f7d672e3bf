"""A pattern of a filter, flattened: branches of which one must hold, each a list of paths.

As in AWS's engine, names are joined with dots to a path, so `{"a.b": …}` and `{"a": {"b": …}}` are
one path, and what is said last of a path counts, also of one that a branch of `$or` names again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Final

from msgspec import Struct

from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.expression import Expression, Refused, read_expression
from consumer.core.routes.language.json_tree import DEEPEST, Members, shown
from consumer.core.routes.language.scalar import SETS_OF_TEXTS, SINGLE_TEXTS

MOST_BRANCHES: Final = 1000
"""Of a pattern, where each $or multiplies them; EventBridge allows as many."""

_OR = "$or"
_RESERVED_IN_OR = frozenset(
    {
        *("exactly", "equals-ignore-case", "prefix", "suffix", "anything-but", "exists"),
        *("wildcard", "numeric", "cidr", "=", "<", "<=", ">", ">=", "regex"),
        *("not-wildcard", "not-equals-ignore-case", "date-after", "date-on-or-after"),
        *("date-before", "date-on-or-before", "in-date-range"),
        *("ip-address-in-range", "ip-address-not-in-range"),
    }
)

Leaf = tuple[Expression, ...]
"""What one path says: one of these must hold."""

Branch = Mapping[str, Leaf]
"""What all of these paths say must hold."""


class Pattern(Struct, frozen=True):
    """A pattern that AWS would take."""

    branches: tuple[Branch, ...]


def read_pattern(tree: object, place: str = "", *, from_yaml: bool = False) -> Pattern:
    """Return the pattern of a tree. Raise BadPattern where AWS, or what YAML made of it, does.

    `place` says where the pattern stands, for errors.
    """
    if not isinstance(tree, Members):
        raise BadPattern(place, f"a pattern is an object, not {shown(tree)}")
    reader = _Reader(place, from_yaml=from_yaml)
    return Pattern(tuple(reader.members([], "", tree, DEEPEST, in_or=False)))


class _Reader:
    """Walks the tree in its order. Branches so far go in, and come out with what was added."""

    def __init__(self, place: str, *, from_yaml: bool) -> None:
        self._place = place
        self._from_yaml = from_yaml

    def members(
        self,
        branches: list[dict[str, Leaf]],
        path: str,
        tree: Members,
        room: int,
        *,
        in_or: bool,
    ) -> list[dict[str, Leaf]]:
        if not tree:
            raise self._bad(path, "an empty object matches nothing; AWS refuses it")
        if not room:
            raise self._bad("", f"it is nested more than {DEEPEST} deep")
        for name, node in tree:
            if not isinstance(name, str):
                raise self._bad(path, f"a name is read as {shown(name)}, not as text: quote it")
            if name == _OR:
                branches = self._or(branches, path, node, room - 1)
                continue
            if in_or and name in _RESERVED_IN_OR:
                raise self._bad(path, f"{name!r} is a reserved word, and no name inside $or")
            below = f"{path}.{name}" if path else name
            match node:
                case Members():
                    branches = self.members(branches, below, node, room - 1, in_or=in_or)
                case list():
                    leaf = self._leaf(below, node)
                    branches = branches or [{}]
                    for branch in branches:
                        branch[below] = leaf
                case _:
                    raise self._bad(below, f"found {shown(node)}, wanted a list of values to match")
        return branches

    def _or(
        self, branches: list[dict[str, Leaf]], path: str, node: object, room: int
    ) -> list[dict[str, Leaf]]:
        place = f"{path}.{_OR}" if path else _OR
        if not isinstance(node, list) or len(node) < 2:
            raise self._bad(place, "$or takes a list of at least two objects")
        found: list[dict[str, Leaf]] = []
        for each in node:
            if not isinstance(each, Members):
                raise self._bad(place, f"$or takes objects, not {shown(each)}")
            so_far = [dict(branch) for branch in branches]
            found += self.members(so_far, path, each, room, in_or=True)
            if len(found) > MOST_BRANCHES:
                raise self._bad(place, f"$or makes more than {MOST_BRANCHES} combinations")
        return found

    def _leaf(self, path: str, nodes: list[object]) -> Leaf:
        if not nodes:
            raise self._bad(path, "an empty list matches nothing; AWS refuses it")
        if path.count(".") >= DEEPEST:
            raise self._bad(path, f"it has more than {DEEPEST} names")
        is_text = path.rpartition(".")[2] in SINGLE_TEXTS + SETS_OF_TEXTS
        for node in _scalars(nodes) if self._from_yaml else ():
            if isinstance(node, date) or (is_text and not isinstance(node, str)):
                raise self._bad(path, f"a value is read as {shown(node)}, not as text: quote it")
        try:
            return tuple(read_expression(node) for node in nodes)
        except Refused as error:
            raise self._bad(path, str(error)) from None

    def _bad(self, path: str, reason: str) -> BadPattern:
        return BadPattern(f"{self._place} {path}".strip(), reason)


def _scalars(nodes: list[object]) -> Iterator[object]:
    """Yield what is compared as it is: the values, and those of anything-but."""
    for node in nodes:
        match node:
            case Members():
                for name, operand in node:
                    if name == "anything-but":
                        yield from _scalars(operand if isinstance(operand, list) else [operand])
            case list():
                pass  # refused later, with a better reason
            case _:
                yield node
