"""What a snapshot will read, publish, take and cost, before it is asked for."""

from __future__ import annotations

import sys
from collections import Counter
from typing import TYPE_CHECKING

from consumer.commands.republish.event_type_fitness import Unseen
from consumer.commands.republish.republishing import opened
from consumer.commands.run_progress import RunProgress
from consumer.core.reports.times import in_words
from consumer.core.republish.estimate import estimate, exceeds_half, retention_of
from consumer.core.republish.rate_limit import usual_rate
from consumer.core.republish.snapshot import Mode

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TextIO

    from consumer.commands.republish.republishing import Reach
    from consumer.commands.republish.snapshot_terms import SnapshotOptions
    from consumer.core.republish.table.read_item import ReadItem


def preview(reach: Reach, options: SnapshotOptions) -> Iterator[str]:
    """Yield the lines that say how much it is, and what is to be feared."""
    table, rates = reach.table, options.rates
    rcu, twice = rates.read_units or usual_rate(table.read_capacity), options.mode is Mode.TWICE
    found = estimate(
        table.items,
        table.size_bytes,
        len(reach.participation.taking),
        twice=twice,
        rcu=rcu,
        max_rate=rates.published,
    )
    yield (
        f"about {found.items} items of {found.bytes / 1e6:.1f} MB together (counted by DynamoDB up"
        f" to six hours ago), {'read twice, ' if twice else ''}at most {found.events} events"
    )
    yield (
        f"about {found.read_units} read units, ${found.dollars:.2f} on demand in us-east-1; at"
        f" {rcu:g} read units and {rates.published:g} events a second about"
        f" {in_words(found.seconds)} for one process"
    )
    for event_type, seen in reach.definitions.items():
        retention = None if isinstance(seen, Unseen) else retention_of(seen)
        if retention is not None and exceeds_half(found.seconds, retention):
            yield (
                f"warning: {event_type} keeps events for {in_words(retention)}; that is less than"
                " twice as long, and a reader that stands still may miss the first ones"
            )


async def count_events(reach: Reach, options: SnapshotOptions, out: TextIO) -> None:
    """Read the table once, at full price, and say what would be published.

    Raise Unreachable, Misconfigured.
    """
    counts: Counter[tuple[str, str]] = Counter()
    items, table = 0, reach.table
    async with opened(reach, options.rates) as engine:
        progress = RunProgress(sys.stderr, engine.clock, "snapshot")
        async for page in engine.reader.scan(engine.scan, table.item_bytes):
            items += len(page)
            for item in _wanted(reach, options, page):
                made = engine.events.made_of(item)
                counts.update((event.event_type, "events") for event in made.events)
                counts.update((each.event_type, each.reason) for each in made.refusals)
            progress.show(items, table.items or None, "counted")
        progress.close(items, items, "counted")
    out.write(f"{items} items\n")
    out.write("".join(f"{name}: {n} {what}\n" for (name, what), n in sorted(counts.items())))


def _wanted(
    reach: Reach, options: SnapshotOptions, items: Sequence[ReadItem]
) -> Iterator[ReadItem]:
    if options.filter is None:
        yield from items
        return
    asked = reach.item_filter(options.filter)
    yield from (item for item in items if asked.takes(item))
