"""The events of a shard's records: what the routes make of them, less what is settled already.

Ownership: the shard's intake owns it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.event.event import Withheld

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.event import Event, Unbuildable
    from consumer.core.routes.assembler import Assembler
    from consumer.core.routes.event_maker import Made
    from consumer.core.stream.record import MalformedRecord, StreamRecord
    from consumer.runtime.publishing.outlet import Outlet

    Events = list[tuple[Outlet[Ticket], Event | Unbuildable]]
    WithheldEvents = list[tuple[Outlet[Ticket], Withheld]]


class ShardEvents:
    """Makes the events. `outlets` are those of the routes of `assembler`, in order."""

    def __init__(
        self, assembler: Assembler, outlets: Sequence[Outlet[Ticket]], watermark: AckWatermark
    ) -> None:
        self._assembler = assembler
        self._outlets = outlets
        self._watermark = watermark

    def of(
        self, records: Sequence[StreamRecord | MalformedRecord], batch: int
    ) -> Iterator[list[tuple[int, Made]]]:
        """Yield what the routes make of each record, made in batches of `batch` records."""
        takers = [*map(self._assembler.takers, records)]
        for first in range(0, len(records), batch):
            some = slice(first, first + batch)
            yield from self._assembler.events_of_each(records[some], takers[some])

    def left(
        self, made: Sequence[tuple[int, Made]], sequence: int
    ) -> tuple[Events, WithheldEvents, bool]:
        """Return the events of a record, why some routes make none, and whether it has had others.

        Those are left out that an earlier owner of the shard has settled, as its mark says. Of a
        record that cannot be read no mark tells: it has no event type, and goes with the first
        route, which may have been another one for that owner.
        """
        events: Events = []
        withheld: WithheldEvents = []
        settled, unmarked = False, self._watermark.found is None
        for number, content in made:
            outlet = self._outlets[number]
            if isinstance(content, Withheld):
                withheld.append((outlet, content))
            elif unmarked or content.unreadable or self._watermark.leaves(sequence, outlet.name):
                events.append((outlet, content))
            else:
                settled = True
        return events, withheld, settled
