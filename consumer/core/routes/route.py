"""A route: to which event type the changes of a table are published, and in which form.

All that knows event types asks routes, in the order of their tuple. There is one today.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.event.event import EventFormat
    from consumer.core.limits import PublishLimits


@dataclass(frozen=True, slots=True)
class Route:
    """One event type, the form of its events, and how they travel.

    `keys` are the table's key attributes, the partition key first; empty while they are not known,
    as in a redrive.
    """

    event_type: str
    format: EventFormat
    limits: PublishLimits
    keys: tuple[str, ...] = ()
