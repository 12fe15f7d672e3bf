"""The selection: which attributes of an item an event type shows, and under which names."""

from __future__ import annotations

from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from consumer.core.event.selection.attribute_path import AttributePath

REPLICATION: Final = "aws:rep:"
"""Names of the attributes that global tables of the version of 2017 add begin with this."""


class Selection(Struct, frozen=True):
    """What is shown: `include` (None: everything), less `exclude`, then renamed.

    `rename` has pairs of a top-level attribute's name in the table and in the event. `replication`
    says whether attributes `aws:rep:…` of global tables are shown without being included.
    """

    include: tuple[AttributePath, ...] | None = None
    exclude: tuple[AttributePath, ...] = ()
    rename: tuple[tuple[str, str], ...] = ()
    replication: bool = False

    @property
    def leaves_out(self) -> bool:
        """Whether there are items of which it does not show everything."""
        return self.include is not None or bool(self.exclude) or not self.replication

    @property
    def shows_nothing(self) -> bool:
        """Whether all that is included is excluded, so that nothing of any item is shown."""
        ends = {path.names for path in self.exclude}
        return self.include is not None and all(
            any(path.names[:count] in ends for count in range(1, len(path.names) + 1))
            for path in self.include
        )

    def shows(self, attribute: str) -> bool:
        """Return whether a top-level attribute, or a part of it, can be shown."""
        if any(path.names == (attribute,) for path in self.exclude):
            return False
        if self.include is not None:
            return any(path.names[0] == attribute for path in self.include)
        return self.replication or not attribute.startswith(REPLICATION)

    def shows_key(self, key: str) -> bool:
        """Return whether a key attribute is shown. It is no map, so a member of it is nothing."""
        if not self.shows(key):
            return False
        return self.include is None or any(path.names == (key,) for path in self.include)


def less(selection: Selection | None, attributes: tuple[str, ...]) -> Selection | None:
    """Return the selection that leaves out these attributes, too; None shows everything."""
    return without(selection, attributes) if attributes else selection


def without(selection: Selection | None, attributes: tuple[str, ...]) -> Selection:
    """Return the selection that leaves out these attributes, too, whatever else it says."""
    shown = Selection(replication=True) if selection is None else selection
    paths = tuple(AttributePath((attribute,)) for attribute in attributes)
    return replace(shown, exclude=shown.exclude + paths)
