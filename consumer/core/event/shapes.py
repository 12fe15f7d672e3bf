"""The shapes of a process: which of them are worth an expression of their own.

An expression is quicker than splitting an item at its gaps, but one that is tried in vain costs
time. So items are sorted by what is found quickly: how many braces they have, and what the last of
their named values is called. If nearly all of a sort have one of two shapes, these are learned, and
tried on each; if both fail too often, they are dropped again.
"""

from typing import Final

from consumer.core.event.item_shape import Scalars, Shape, shape_of
from consumer.core.event.plain_gaps import PlainItems, split
from consumer.core.event.selection.selection import Selection, less
from consumer.core.event.selection.selector import Selector

SORTS_REMEMBERED: Final = 64
"""Most sorts of items of a selection, each with at most two shapes."""

SHAPES_BYTES: Final = 16 * 1024 * 1024
"""Most memory of all shapes of a process."""

LOOK: Final = 4
ENOUGH: Final = 16

MOST: Final = 1 << 20
"""It need not lead by more."""

OTHERWISE: Final = 4
"""How many items of the shapes that lead one item of another shape outweighs."""

_NAMED: Final = b'":{"'

Read = tuple[Shape, Scalars]
"""An item of a known shape."""

_Mark = tuple[int, bytes]
"""What items of a sort have in common."""


class _Leader:
    """A shape that many items of a sort have, and by how much it leads."""

    __slots__ = ("key", "lead", "shape")

    def __init__(self, key: int) -> None:
        self.key = key  # of its gaps
        self.lead = 0
        self.shape: Shape | None = None

    def read(self, text: bytes) -> Read | None:
        """Return the item whose JSON is `text`, None if it has another shape."""
        shape = self.shape
        scalars = None if shape is None else shape.scalars(text)
        if shape is None or scalars is None:
            return None
        self.lead = ENOUGH
        return shape, scalars


class _Sort:
    """Items that may be of one shape. Frequent ones are found as by Misra and Gries."""

    __slots__ = ("enough", "leaders")

    def __init__(self, enough: int) -> None:
        self.leaders: tuple[_Leader, ...] = ()
        self.enough = enough  # to be learned

    @property
    def weight(self) -> int:
        """Bytes of memory of the shapes."""
        return sum(leader.shape.weight for leader in self.leaders if leader.shape is not None)

    def read(self, text: bytes) -> tuple[_Leader, Read] | None:
        """Return the item whose JSON is `text`, None if it has none of the shapes."""
        for leader in self.leaders:
            read = leader.read(text)
            if read is not None:
                return leader, read
        return None

    def count(self, key: int) -> _Leader | None:
        """Count an item whose shape is not known. Return the leader if it is to be learned."""
        for leader in self.leaders:
            if leader.key == key:
                if leader.shape is not None:  # its scalars have other types, or more is hidden
                    self._outweigh()
                    return None
                leader.lead += 1
                return leader if leader.lead >= self.enough else None
        if len(self.leaders) == 2:
            self._outweigh()
        if len(self.leaders) < 2:
            self.leaders += (_Leader(key),)
        return None

    def be_slower(self) -> None:
        """Learn no shape of this sort before more of its items have it."""
        self.enough = min(2 * self.enough, MOST)

    def _outweigh(self) -> None:
        for leader in self.leaders:
            leader.lead -= OTHERWISE
        lost = [leader for leader in self.leaders if leader.lead < 0]
        if any(leader.shape is not None for leader in lost):
            self.be_slower()
        self.leaders = tuple(leader for leader in self.leaders if leader.lead >= 0)


class Shapes:
    """The shapes of a table's items, as a selection shows them; None shows everything.

    `of` returns those of a selection, which all its routes share. Each selection's are forgotten
    when there are more than SORTS_REMEMBERED, those of all when they take more than SHAPES_BYTES.

    Of `look` items whose shape is not known one is counted. A shape is learned when it leads by
    `enough`, by twice as much whenever one of its sort was dropped.
    """

    def __init__(
        self,
        selector: Selector | None = None,
        family: "_Family | None" = None,
        *,
        narrow: bool = False,
        look: int = LOOK,
        enough: int = ENOUGH,
    ) -> None:
        self.selector = selector
        self.narrow = narrow  # nothing at all may be left of an item
        self._family = _Family(self, look, enough) if family is None else family
        self._sorts: dict[_Mark, _Sort] = {}
        self._turn = 0
        self._last = _Leader(0)  # that of the item before
        self._again = False  # so was that of the item before that one
        self.weight = 0  # bytes of memory of the shapes

    def of(self, selection: Selection | None, *hidden: str) -> "Shapes":
        """Return the shapes of what a selection shows, less attributes that no selection shows."""
        members, shown = self._family.members, less(selection, hidden)
        if shown is not None and shown not in members:
            narrow = selection is not None
            members[shown] = Shapes(Selector(shown), self._family, narrow=narrow)
        return members[shown]

    def read(self, text: bytes) -> Read | None:
        """Return the item whose JSON is `text`, or None if its shape is not known."""
        if not self.weight:
            return None
        if self._again:
            read = self._last.read(text)
            if read is not None:
                return read
        sort = self._sorts.get(_mark(text))
        found = None if sort is None else sort.read(text)
        if found is None:
            return None
        leader, read = found
        self._again = leader is self._last
        self._last = leader
        return read

    def members(self, text: bytes, shown: bytes) -> bytes | None:
        """Return the members of an item's plain JSON, comma separated, or None: walk it.

        `shown` is what is shown of the item whose JSON is `text`. Raises MalformedItem.
        """
        item = self._family.items.of(shown)
        if item is None:
            return None
        self._turn += 1
        if not self._turn % self._family.look:
            self._count(text, item.key)
        return item.members

    def _count(self, text: bytes, key: int) -> None:
        mark = _mark(text)
        sort = self._sorts.get(mark)
        if sort is None:
            self._make_room()
            sort = self._sorts[mark] = _Sort(self._family.enough)
        before = sort.weight
        leader = sort.count(key)
        if leader is not None:
            leader.shape = shape_of(split(text), self.selector)
            leader.lead = ENOUGH
            if leader.shape is None:
                sort.be_slower()
        self.weight += sort.weight - before
        if self._family.weight > SHAPES_BYTES:
            self._family.forget()

    def _make_room(self) -> None:
        """Forget the sorts of which no shape is known if they are too many, or else all."""
        if len(self._sorts) >= SORTS_REMEMBERED:
            self._sorts = {mark: sort for mark, sort in self._sorts.items() if sort.weight}
        if len(self._sorts) >= SORTS_REMEMBERED:
            self.forget()

    def forget(self) -> None:
        """Forget all shapes of this selection."""
        self._sorts.clear()
        self._last, self._again = _Leader(0), False
        self.weight = 0


class _Family:
    """What the shapes of all selections have in common; `members` are these, by selection."""

    def __init__(self, whole: Shapes, look: int, enough: int) -> None:
        self.look = look
        self.enough = enough
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


def _mark(text: bytes) -> _Mark:
    end = text.rfind(_NAMED)
    return text.count(b"{"), text[text.rfind(b'"', 0, end) + 1 : end]
