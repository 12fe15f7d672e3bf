"""An image: an item before or after a change.

Of an item of which an event type shows a part, the image is that part, under the names shown.

It is made plain by its shape if that is known, else by its gaps, else value by value. All of them
give the same bytes.
"""

from collections.abc import Collection

from msgspec import Raw, Struct

from consumer.core.event.attribute import Members, decode_item, decode_members, plain_item
from consumer.core.event.item_shape import Spliced
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff
from consumer.core.event.selection.selector import members_text
from consumer.core.event.shapes import Shapes


class Image(Struct):
    """The item before or after a change."""

    text: bytes  # JSON of all of it
    spliced: Spliced | None  # None if its shape is not known
    shapes: Shapes
    _attributes: Members | None = None
    _shown: Members | None = None

    @property
    def names(self) -> Collection[str]:
        """The names of the attributes that are shown. Raises MalformedItem."""
        return self.shown if self.spliced is None else self.spliced.shape.names

    @property
    def attributes(self) -> Members:
        """The text of all attributes, shown or not. Raises MalformedItem."""
        if self._attributes is None:
            self._attributes = decode_members(Raw(self.text))
        return self._attributes

    @property
    def shown(self) -> Members:
        """The text of what is shown. Raises MalformedItem."""
        if self._shown is None:
            selector = self.shapes.selector
            attributes = self.attributes
            self._shown = attributes if selector is None else selector.shown(attributes)
        return self._shown

    def check(self) -> None:
        """Raise MalformedItem, or ReservedAttribute, if it cannot be said what is shown."""
        if self.spliced is None:
            _ = self.shown

    def members(self) -> bytes:
        """Return the members of its plain JSON object, comma separated. Raises MalformedItem."""
        try:
            if self.spliced is not None:
                return self.spliced.members()
            selector = self.shapes.selector
            shown = self.text if selector is None else members_text(self.shown)
            members = self.shapes.members(self.text, shown)
            if members is not None:
                return members
        except MalformedItem:
            pass  # the walk names the attribute
        text = self.text if self.shapes.selector is None else members_text(self.shown)
        return b",".join(plain_item(decode_item(Raw(text))))

    def diff(self, old: "Image", limit: int) -> list[bytes] | None:
        """Return the operations, as JSON, that turn `old` into this item. Raises MalformedItem.

        Return None if they are several, and take more than `limit` bytes.
        """
        if self.spliced is not None and old.spliced is not None:
            try:
                patch = self.spliced.diff(old.spliced, limit)
            except MalformedItem:
                pass  # the walk names the attribute
            else:
                if patch is not None:
                    return patch
        before, after = old.attributes, self.attributes
        selector = self.shapes.selector
        if selector is not None:
            before, after = differing(before, after)
            before, after = selector.shown(before), selector.shown(after)
        return diff(before, after, limit)


def read_image(text: Raw | None, shapes: Shapes, like: Image | None = None) -> Image | None:
    """Return the image whose JSON is `text`, None if there is no image. Raises MalformedItem.

    It is sooner known if it has the shape of the image that it is `like`.

    An empty image counts as no image, because every item has its keys. But in the record of a dead
    letter there may be nothing of an item that is shown.
    """
    if text is None:
        return None
    whole = bytes(text)
    spliced = None
    if like is not None and like.spliced is not None:
        spliced = like.spliced.shape.splice(whole)
    if spliced is None:
        spliced = shapes.splice(whole)
    image = Image(whole, spliced, shapes)
    if spliced is not None or shapes.selector is not None or image.attributes:
        return image
    return None


def differing(before: Members, after: Members) -> tuple[Members, Members]:
    """Return the attributes of two images whose text is not the same, in their order."""
    return (
        {name: text for name, text in before.items() if after.get(name) != text},
        {name: text for name, text in after.items() if before.get(name) != text},
    )
