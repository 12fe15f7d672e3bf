"""An image: an item before or after a change, spliced by its shape or decoded value by value.

Of an item of which an event type shows a part, the image is that part, under the names shown.
"""

from collections.abc import Collection

from msgspec import Raw, Struct

from consumer.core.event.attribute import Members, decode_item, decode_members, plain_item
from consumer.core.event.item_shape import Shapes, Spliced
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff
from consumer.core.event.selection.selector import Selector, members_text


class Image(Struct, frozen=True):
    """The item before or after a change."""

    text: Raw  # of all of it
    names: Collection[str]  # of the attributes that are shown
    spliced: Spliced | None  # None if its shape is not known
    selector: Selector | None = None  # None if all of it is shown

    def members(self) -> bytes:
        """Return the members of its plain JSON object, comma separated. Raises MalformedItem."""
        if self.spliced is not None:
            try:
                return self.spliced.members()
            except MalformedItem:
                pass  # the walk names the attribute
        text = self.text
        if self.selector is not None:
            text = Raw(members_text(self.selector.shown(decode_members(text))))
        return b",".join(plain_item(decode_item(text)))

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
        before, after = decode_members(old.text), decode_members(self.text)
        if self.selector is not None:
            before, after = differing(before, after)
            before, after = self.selector.shown(before), self.selector.shown(after)
        return diff(before, after, limit)


def read_image(text: Raw | None, shapes: Shapes) -> Image | None:
    """Return the image whose JSON is `text`, None if there is no image. Raises MalformedItem.

    An empty image counts as no image, because every item has its keys. But in the record of a dead
    letter there may be nothing of an item that is shown.
    """
    if text is None:
        return None
    selector, spliced = shapes.selector, shapes.splice(text)
    if spliced is not None:
        names: Collection[str] = spliced.shape.names
        return Image(text, names, spliced, selector) if names or selector is not None else None
    members = decode_members(text)
    if not members and selector is None:
        return None
    return Image(text, members if selector is None else selector.shown(members), None, selector)


def differing(before: Members, after: Members) -> tuple[Members, Members]:
    """Return the attributes of two images whose text is not the same, in their order."""
    return (
        {name: text for name, text in before.items() if after.get(name) != text},
        {name: text for name, text in after.items() if before.get(name) != text},
    )
