"""A route: an event type to which the changes of a table are published, and the form of its events.

All code that needs event types reads the tuple of routes, in its order. It has one route today.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.event.event import EventFormat
    from consumer.core.limits import PublishLimits
    from consumer.core.routes.filters.lambda_filter import Filter


@dataclass(frozen=True, slots=True)
class Route:
    """One event type, the form of its events, and the limits of publishing them.

    `keys` are the table's key attributes, the partition key first; empty while they are not known,
    as in a redrive. `filter` says which changes are published; None: all of them.
    """

    event_type: str
    format: EventFormat
    limits: PublishLimits
    keys: tuple[str, ...] = ()
    filter: Filter | None = None
