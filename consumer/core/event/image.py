"""An image: an item before or after a change, spliced by its shape or decoded value by value."""

from collections.abc import Collection

from msgspec import Raw, Struct

from consumer.core.event.attribute import decode_item, decode_members, plain_item
from consumer.core.event.item_shape import Shapes, Spliced
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff


class Image(Struct, frozen=True):
    """The item before or after a change."""

    text: Raw
    names: Collection[str]  # of its attributes
    spliced: Spliced | None  # None if its shape is not known

    def members(self) -> bytes:
        """Return the members of its plain JSON object, comma separated. Raises MalformedItem."""
        if self.spliced is not None:
            try:
                return self.spliced.members()
            except MalformedItem:
                pass  # the walk names the attribute
        return b",".join(plain_item(decode_item(self.text)))

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
        return diff(decode_members(old.text), decode_members(self.text), limit)


def read_image(text: Raw | None, shapes: Shapes) -> Image | None:
    """Return the image whose JSON is `text`, None if there is no image. Raises MalformedItem.

    An empty image counts as no image, because every item has its keys.
    """
    if text is None:
        return None
    spliced = shapes.splice(text)
    names = decode_members(text) if spliced is None else spliced.shape.names
    return Image(text, names, spliced) if names else None
