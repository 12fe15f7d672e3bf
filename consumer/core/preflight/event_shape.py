"""What the events of a route have, by the names that are shown: for what a definition asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import Struct

from consumer.core.event.event import Category, Layout
from consumer.core.preflight.change_members import SEQUENCE, STREAM

if TYPE_CHECKING:
    from consumer.core.event.event import EventFormat
    from consumer.core.event.selection.attribute_path import AttributePath

ITEM: Final = "item"
"""Member of `data` that holds the item in the nested layout."""

METADATA: Final = "metadata"


class EventShape(Struct, frozen=True):
    """What our events have. `keys` are the table's key attributes, the partition key first.

    Fields are paths inside `data`; a business event has no `data`, and they are paths in the event.

    `whole_deletes`: a D event carries the item's last image, not only its keys. `crossings`: some
    events say that their item has entered or left what the event type shows.
    """

    form: EventFormat
    keys: tuple[str, ...]
    whole_deletes: bool
    crossings: bool = False

    @property
    def is_business(self) -> bool:
        """Whether they are business events, which are made of inserted items only."""
        return self.form.category is Category.BUSINESS

    @property
    def shown_keys(self) -> tuple[str, ...]:
        """The table's key attributes that every event has, by the names that are shown."""
        if self.form.body is not None:
            return ()
        names = (self.form.key_name(key) for key in self.keys)
        return tuple(name for name in names if name is not None)

    @property
    def hides_partition_key(self) -> bool:
        """Whether the item of an event lacks the table's partition key."""
        return (
            self.form.body is None and bool(self.keys) and self.form.key_name(self.keys[0]) is None
        )

    def every_delete_has(self, field: str) -> bool:
        """Return whether every D event has this path, whatever the item was."""
        path = field.split(".")
        if path[0] == self.form.change_member:
            return path[1:] in ([], [SEQUENCE], [STREAM])
        if path[0] == self.form.patch_member:
            return False
        if self.whole_deletes or self.is_business:
            return True
        if self.form.layout is Layout.NESTED:
            is_key = path[:1] == [ITEM] and ".".join(path[1:]) in self.shown_keys
            return path == [ITEM] or is_key
        return field in self.shown_keys

    def no_event_has(self, field: str) -> bool:
        """Return whether no event has this path. Any attribute that may be shown is possible."""
        return self.why_absent(field) is not None

    def why_absent(self, field: str) -> str | None:
        """Return what to do about a path that no event has; None if events may have it."""
        first, *below = field.split(".")
        if first in self._around:
            return None
        if self.form.layout is Layout.NESTED:
            if first != ITEM:
                return f"in the nested layout attributes are under {ITEM}: {ITEM}.{field}"
            if not below:
                return None
            first, *below = below
        return self._why_hidden(first, below)

    def hides(self, field: str) -> bool:
        """Return whether no event has this path because of what the route shows."""
        if self.form.layout is Layout.NESTED and field.split(".", maxsplit=1)[0] != ITEM:
            return False
        return self.no_event_has(field)

    @property
    def _around(self) -> frozenset[str | None]:
        """The members beside the attributes of the item."""
        around = {self.form.change_member, self.form.patch_member}
        return frozenset(around | {METADATA} if self.is_business else around)

    def _why_hidden(self, name: str, below: list[str]) -> str | None:
        form = self.form
        if form.body is not None:
            visible = self._shows((form.body, name, *below))
            return None if visible else f"let the route show {form.body}.{name}, or do without it"
        renamed = dict(form.selection.rename) if form.selection is not None else {}
        for old, new in renamed.items():
            if new == name and self._shows((old, *below)):
                return None
        if name in renamed and self._shows((name, *below)):
            return f"the route shows {name} as {renamed[name]}: use that name"
        if name not in renamed and self._shows((name, *below)):
            return None
        return f"let the route show {name}, or use an attribute that it shows"

    def _shows(self, path: tuple[str, ...]) -> bool:
        """Return whether the item can have anything at a path of the table's names."""
        form = self.form
        if form.body is None and path[0] in self.keys and form.key_name(path[0]) is None:
            return False
        return _shows(form, path)


def _shows(form: EventFormat, path: tuple[str, ...]) -> bool:
    """Return whether anything at a path of the table's names can be shown in the item."""
    if form.body is None and path[0] in form.metadata.names:
        return False
    selection = form.selection
    if selection is None:
        return True
    if any(path[: len(each.names)] == each.names for each in selection.exclude):
        return False
    if selection.include is None:
        return selection.shows(path[0])
    return any(_on_one_way(each, path) for each in selection.include)


def _on_one_way(included: AttributePath, path: tuple[str, ...]) -> bool:
    """Return whether one of two paths leads to the other."""
    return all(mine == its for mine, its in zip(included.names, path, strict=False))
