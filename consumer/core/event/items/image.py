"""An image: an item before or after a change.

Of an item of which an event type shows a part, the image is that part, under the names shown.

It is made plain by its shape if that is known, else by its gaps, else value by value. All of them
give the same bytes.
"""

from collections.abc import Collection

from msgspec import Raw, Struct

from consumer.core.event.attribute import Members, decode_item, decode_members, plain_item
from consumer.core.event.items.item_shape import Scalars, Shape
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff
from consumer.core.event.selection.selector import members_text


class Image(Struct, gc=False):
    """The item before or after a change."""

    text: Raw  # JSON of all of it
    shapes: Shapes
    shape: Shape | None = None  # None if it is not known
    scalars: Scalars = ()  # those of its shape
    before: Scalars | None = None  # those before its change; None if they are not known
    _attributes: Members | None = None
    _shown: Members | None = None

    @property
    def names(self) -> Collection[str]:
        """The names of the attributes that are shown. Raises MalformedItem."""
        return self.shown if self.shape is None else self.shape.names

    def has(self, name: str) -> bool:
        """Return whether it has an attribute of this name, shown or not. Raises MalformedItem."""
        return name in (self.attributes if self.shape is None else self.shape.attributes)

    @property
    def attributes(self) -> Members:
        """The text of all attributes, shown or not. Raises MalformedItem."""
        if self._attributes is None:
            self._attributes = decode_members(self.text)
        return self._attributes

    @property
    def shown(self) -> Members:
        """The text of what is shown. Raises MalformedItem."""
        if self._shown is None:
            selector, attributes = self.shapes.selector, self.attributes
            if selector is None or selector.shows_all_of(attributes):
                self._shown = attributes
            else:
                self._shown = selector.shown(attributes)
        return self._shown

    def members(self) -> bytes:
        """Return the members of its plain JSON object, comma separated. Raises MalformedItem."""
        try:
            if self.shape is not None:
                return self.shape.members(self.scalars)
            text = bytes(self.text)
            members = self.shapes.members(text, self._shown_text(text))
            if members is not None:
                return members
        except MalformedItem:
            pass  # the walk names the attribute
        return b",".join(plain_item(decode_item(Raw(self._shown_text(bytes(self.text))))))

    def _shown_text(self, text: bytes) -> bytes:
        shown = self.shown
        return text if shown is self._attributes else members_text(shown)

    def patch_since(self, before: Raw | None, limit: int) -> list[bytes] | None:
        """Return the operations, as JSON, that turn the item whose JSON is `before` into this one.

        Return None if they are several, and take more than `limit` bytes. Raises MalformedItem, or
        ReservedAttribute if it cannot be said what is shown of the item before.
        """
        if self.shape is not None and self.before is not None:
            try:
                patch = self.shape.patch(self.before, self.scalars, limit)
            except MalformedItem:
                pass  # the walk names the attribute
            else:
                if patch is not None:
                    return patch
        old = read_image(before, self.shapes)
        if old is None:
            raise MalformedItem("it has no OldImage")
        return self._walk_since(old, limit)

    def _walk_since(self, old: "Image", limit: int) -> list[bytes] | None:
        if old.shape is None:
            _ = old.shown  # raises if it cannot be said
        before, after = old.attributes, self.attributes
        selector = self.shapes.selector
        if selector is not None and not (
            selector.shows_all_of(before) and selector.shows_all_of(after)
        ):
            before, after = differing(before, after)
            before, after = selector.shown(before), selector.shown(after)
        return diff(before, after, limit)


def read_image(text: Raw | None, shapes: Shapes, before: Raw | None = None) -> Image | None:
    """Return the image whose JSON is `text`, None if there is no image. Raises MalformedItem.

    `before` is the JSON of the item before its change, if a patch since then is to be made.

    An empty image counts as no image, because every item has its keys. But in the record of a dead
    letter there may be nothing of an item that is shown.
    """
    if text is None:
        return None
    read = shapes.read(text, before)
    if read is not None:
        return Image(text, shapes, *read)
    image = Image(text, shapes)
    return image if shapes.narrow or image.attributes else None


def differing(before: Members, after: Members) -> tuple[Members, Members]:
    """Return the attributes of two images whose text is not the same, in their order."""
    return (
        {name: text for name, text in before.items() if after.get(name) != text},
        {name: text for name, text in after.items() if before.get(name) != text},
    )
