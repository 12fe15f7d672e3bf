"""The tree of some shapes: an expression that finds which of them an item may have.

It has the steps that the shapes have in common, and a branch where they part. It ends where one
shape is left, which is to be tried: so one look at the beginning of an item decides among them all.
"""

import re
from collections.abc import Sequence
from sys import getsizeof
from typing import Final

from msgspec import Raw

from consumer.core.event.items.item_shape import Shape

SHAPES_TOGETHER: Final = 32
"""Most shapes of a tree."""

STEPS_BYTES: Final = 64 * 1024
"""Most bytes of all steps of its shapes: to compile them takes longer for each."""

_NOTHING: Final = b"(?!)"


class ShapeTree:
    """Finds which of these shapes an item may have; no two of them are the same."""

    __slots__ = ("_match", "_only", "shapes", "weight")

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.shapes: list[Shape] = []  # in the order of the tree's ends
        pattern = re.compile(self._grown(shapes, 0) if shapes else _NOTHING)
        self._match = pattern.match
        self._only = shapes[0] if len(shapes) == 1 else None
        self.weight = getsizeof(pattern) + sum(shape.weight for shape in shapes) if shapes else 0

    def find(self, text: bytes | Raw) -> Shape | None:
        """Return the only shape that the item whose JSON is `text` may have, or None."""
        if self._only is not None:
            return self._only
        found = self._match(text)
        return None if found is None else self.shapes[(found.lastindex or 0) - 1]

    def _grown(self, shapes: Sequence[Shape], number: int) -> bytes:
        """Return the expression of the steps from `number` on; those before are the same for all.

        An empty group ends each branch, so that a match tells which it was. No shape ends where
        another goes on: only the last gap of an item has no name or bracket at its end. But a gap
        before a scalar may begin one before a map, which is longer and so looked for first.
        """
        if len(shapes) == 1:
            self.shapes.extend(shapes)
            return b"()"
        branches: dict[bytes, list[Shape]] = {}
        for shape in shapes:
            branches.setdefault(shape.steps[number], []).append(shape)
        is_scalar = number % 2 == 1
        ways = [
            (_uncaptured(step) if is_scalar else step) + self._grown(branch, number + 1)
            for step, branch in sorted(branches.items(), key=lambda each: -len(each[0]))
        ]
        return b"(?:%b)" % b"|".join(ways)


def _uncaptured(scalar: bytes) -> bytes:
    return scalar.replace(b"(", b"(?:", 1)


def fit_together(shapes: Sequence[Shape]) -> bool:
    """Return whether they may be in one tree."""
    steps = [step for shape in shapes for step in shape.steps]
    return len(shapes) <= SHAPES_TOGETHER and sum(map(len, steps)) <= STEPS_BYTES
