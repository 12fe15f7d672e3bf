"""The shapes of a process: which of them are worth being known.

An expression that knows an item's shape is quicker than splitting the item at its gaps, but one
that is tried in vain costs time. So items whose shape is not known are looked at, some of them, and
counted by their gaps, window after window. At its end the frequent ones are learned; if too few
items have one of the shapes that are known, these are forgotten.
"""

from typing import Final

from msgspec import Raw

from consumer.core.event.items.item_shape import Scalars, Shape, shape_of
from consumer.core.event.items.plain_gaps import PlainItems, split
from consumer.core.event.items.shape_tree import ShapeTree, fit_together
from consumer.core.event.selection.selection import Selection, less
from consumer.core.event.selection.selector import Selector

SHAPES_BYTES: Final = 16 * 1024 * 1024
"""Most memory of all shapes of a process."""

LOOK: Final = 4
WINDOW: Final = 64
ENOUGH: Final = 6
"""One of LOOK items is counted, and what makes ENOUGH of the WINDOW that are counted is learned."""

WORTH: Final = 8
"""Shapes are forgotten when more than this many times as many items have none of them."""

LONGEST_REST: Final = 1 << 16
"""Most items that are not looked at after a window in which nothing was learned."""

Read = tuple[Shape, Scalars, Scalars | None]
"""An item of a known shape, and the item before its change if that had the same shape."""


class Shapes:
    """The shapes of a table's items, as a selection shows them; None shows everything.

    `of` returns those of a selection, which all its routes share. Those of all are forgotten when
    they take more than SHAPES_BYTES.

    Of `look` items whose shape is not known one is counted. What comes `enough` times among
    `window` of these is learned. After a window that brings nothing there is a rest, twice as long
    as the one before, of `rest` items at the most.
    """

    def __init__(
        self,
        selector: Selector | None = None,
        family: "_Family | None" = None,
        *,
        narrow: bool = False,
        look: int = LOOK,
        enough: int = ENOUGH,
        window: int = WINDOW,
        rest: int = LONGEST_REST,
    ) -> None:
        self.selector = selector
        self.narrow = narrow  # nothing at all may be left of an item
        self._family = _Family(self, look, enough, window, rest) if family is None else family
        self._known = ShapeTree(())
        self._hits = 0  # items of a known shape in this window
        self._counts: dict[int, int] = {}  # items of this window that were counted, by their gaps
        self._counted = 0
        self._found: list[Shape] = []  # in this window
        self._skips = look - 1  # items not to be counted before the next one
        self._rest = 0

    @property
    def weight(self) -> int:
        """Bytes of memory of the shapes."""
        return self._known.weight

    def of(self, selection: Selection | None, *hidden: str) -> "Shapes":
        """Return the shapes of what a selection shows, less attributes that no selection shows."""
        family, shown = self._family, less(selection, hidden)
        if shown is not None and shown not in family.members:
            narrow = selection is not None
            made = Shapes(Selector(shown), family, narrow=narrow, look=family.look)
            family.members[shown] = made
        return family.members[shown]

    def read(self, text: bytes | Raw, before: Raw | None = None) -> Read | None:
        """Return the item whose JSON is `text`, or None if its shape is not known.

        `before` is the JSON of the item before its change, if it is to be compared.
        """
        shape = self._known.find(text)
        if shape is None:
            return None
        change = None if before is None else shape.change(text, before)
        if change is not None:
            self._hits += 1
            return shape, change[0], change[1]
        scalars = shape.scalars(bytes(text))
        if scalars is None:
            return None
        self._hits += 1
        return shape, scalars, None

    def members(self, text: bytes, shown: bytes) -> bytes | None:
        """Return the members of an item's plain JSON, comma separated, or None: walk it.

        `shown` is what is shown of the item whose JSON is `text`. Raises MalformedItem.
        """
        item = self._family.items.of(shown)
        if item is None:
            return None
        if self._skips:
            self._skips -= 1
        else:
            self._skips = self._family.look - 1
            self._count(text, item.key)
        return item.members

    def _count(self, text: bytes, key: int) -> None:
        count = self._counts[key] = self._counts.get(key, 0) + 1
        if count == self._family.enough:
            shape = shape_of(split(text), self.selector)
            if shape is not None:
                self._found.append(shape)
        self._counted += 1
        if self._counted >= self._family.window:
            self._review()
            self._counts.clear()
            self._found.clear()
            self._counted = self._hits = 0

    def _review(self) -> None:
        """Learn what was found in this window, and forget what is not worth being tried."""
        before = self._known.shapes
        others = self._counted * self._family.look
        shapes = [*before] if WORTH * self._hits >= others else []
        for shape in self._found:
            is_new = all(shape.steps != each.steps for each in shapes)
            if is_new and fit_together([*shapes, shape]):
                shapes.append(shape)
        if len(shapes) <= len(before):
            self._go_to_rest()
        if shapes != before:
            self._known = ShapeTree(shapes)
        if self._family.weight > SHAPES_BYTES:
            self._family.forget()

    def forget(self) -> None:
        """Forget all shapes of this selection, and learn more slowly."""
        self._known = ShapeTree(())
        self._go_to_rest()

    def _go_to_rest(self) -> None:
        window = self._family.look * self._family.window
        self._skips = self._rest = min(max(2 * self._rest, window), self._family.rest)


class _Family:
    """What the shapes of all selections have in common; `members` are these, by selection."""

    def __init__(self, whole: Shapes, look: int, enough: int, window: int, rest: int) -> None:
        self.look = look
        self.enough = enough
        self.window = window
        self.rest = rest
        self.items = PlainItems()
        self.members: dict[Selection | None, Shapes] = {None: whole}

    @property
    def weight(self) -> int:
        """Bytes of memory of all shapes."""
        return sum(shapes.weight for shapes in self.members.values())

    def forget(self) -> None:
        """Forget all shapes of all selections."""
        for shapes in self.members.values():
            shapes.forget()
