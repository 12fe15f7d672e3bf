"""The tree of some shapes: an expression that finds which of them an item may have.

It has the steps that the shapes have in common, and a branch where they part. It ends where one
shape is left, which is tried then: so one look at the beginning of an item decides among them all.
"""

import re
from collections.abc import Sequence
from sys import getsizeof
from typing import Final

from consumer.core.event.item_shape import Scalars, Shape

SHAPES_TOGETHER: Final = 32
"""Most shapes of a tree."""

STEPS_BYTES: Final = 64 * 1024
"""Most bytes of all steps of its shapes: to compile them takes longer for each."""

Read = tuple[Shape, Scalars]
"""An item of a known shape."""


class ShapeTree:
    """Reads items that have one of these shapes, at least one, no two of which are the same."""

    __slots__ = ("_match", "_only", "shapes", "weight")

    def __init__(self, shapes: Sequence[Shape]) -> None:
        self.shapes: list[Shape] = []  # in the order of the tree's ends
        pattern = re.compile(self._grown(shapes, 0))
        self._match = pattern.match
        self._only = shapes[0] if len(shapes) == 1 else None
        self.weight = getsizeof(pattern) + sum(shape.weight for shape in shapes)

    def read(self, text: bytes) -> Read | None:
        """Return the item whose JSON is `text`, None if it has none of the shapes."""
        shape = self._only
        if shape is None:
            found = self._match(text)
            if found is None:
                return None
            shape = self.shapes[(found.lastindex or 0) - 1]
        scalars = shape.scalars(text)
        return None if scalars is None else (shape, scalars)

    def _grown(self, shapes: Sequence[Shape], number: int) -> bytes:
        """Return the expression of the steps from `number` on; those before are the same for all.

        An empty group ends each branch, so that a match tells which it was. No shape ends where
        another goes on: only the last gap of an item has no name or bracket at its end.
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
            for step, branch in branches.items()
        ]
        return b"(?:%b)" % b"|".join(ways)


def _uncaptured(scalar: bytes) -> bytes:
    return scalar.replace(b"(", b"(?:", 1)


def fit_together(shapes: Sequence[Shape]) -> bool:
    """Return whether they may be in one tree."""
    steps = [step for shape in shapes for step in shape.steps]
    return len(shapes) <= SHAPES_TOGETHER and sum(map(len, steps)) <= STEPS_BYTES
