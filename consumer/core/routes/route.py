"""A route: an event type to which the changes of a table are published, and the form of its events.

All code that needs event types reads the tuple of routes, in its order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.event.event import Category, MetadataSources
from consumer.core.routes.digest import digest

if TYPE_CHECKING:
    from consumer.core.event.event import EventFormat
    from consumer.core.event.selection.attribute_path import AttributePath
    from consumer.core.limits import PublishLimits
    from consumer.core.routes.filters.lambda_filter import Filter


class Route(Struct, frozen=True):
    """One event type, the form of its events, and the limits of publishing them.

    `keys` are the table's key attributes, the partition key first; empty while they are not known,
    as in a redrive. `filter` says which changes are published; None: all of them. A route that is
    `otherwise` takes what the filter of no other route matches.

    A MODIFY is published only if one of the attributes `changed` differs; empty: whatever differs.
    With `skip_unchanged` it is published only if what the route shows differs.

    `name` is unique, and for people: in findings, letters and options of commands. The `single`
    route is that of CONSUMER_EVENT_TYPE, where there is no list of routes.
    """

    event_type: str
    format: EventFormat
    limits: PublishLimits
    keys: tuple[str, ...] = ()
    filter: Filter | None = None
    name: str = ""
    otherwise: bool = False
    changed: tuple[AttributePath, ...] = ()
    skip_unchanged: bool = False
    single: bool = False

    @property
    def title(self) -> str:
        """The name that people read."""
        return self.name or self.event_type

    @property
    def rules(self) -> str:
        """The digest of all that decides its events' bytes but the record."""
        return digest(self.event_type, self.format)

    @property
    def is_plain(self) -> bool:
        """Whether it makes the events of versions without routes, whose items were complete.

        It may leave out attributes `aws:rep:…` of global tables.
        """
        form, seen = self.format, self.format.selection
        return (
            not form.hides
            and not (seen is not None and seen.rename)
            and form.category is Category.DATA
            and form.metadata == MetadataSources()
            and form.eid_event_type is None
        )

    def setting(self, name: str = "") -> str:
        """Return how messages name a setting of this route; without a name, the route itself."""
        if self.single:
            return f"CONSUMER_{name.upper() or 'EVENT_TYPE'}"
        return f"CONSUMER_ROUTES, route {self.name}" + (f", {name}" if name else "")
