"""The shard factory: it makes the consumers of a worker's shards and wires up their parts.

Rule: its fields are shared by all shards of the worker; everything else is made anew for each.
"""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.routes.assembler import Assembler
from consumer.core.shard.pace import Pace
from consumer.runtime.shard.gaps import GapRecorder
from consumer.runtime.shard.intake import Intake
from consumer.runtime.shard.lease_writer import LeaseWriter
from consumer.runtime.shard.operator_commands import OperatorCommands
from consumer.runtime.shard.page_reservations import PageReservations
from consumer.runtime.shard.reader import Reader
from consumer.runtime.shard.shard_consumer import ShardConsumer
from consumer.runtime.shard.shard_goal import ShardGoal
from consumer.runtime.shard.shard_pages import ShardPages

if TYPE_CHECKING:
    from consumer.core.backlog.watermark import AckWatermark
    from consumer.core.event.items.shapes import Shapes
    from consumer.core.leases.fence import Fence
    from consumer.core.leases.lease import Lease, StreamRow
    from consumer.core.limits import LeaseTiming
    from consumer.core.shard.pace import Polling
    from consumer.ports import LeaseStore, StreamClient
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.shard.checkpointer import Checkpointer
    from consumer.runtime.shard.shard_pages import Lineage


class ShardFactory(Struct, frozen=True, kw_only=True):
    """`shapes` is what the transcoders of all shards know of the table's items."""

    worker_id: str
    client: StreamClient
    store: LeaseStore
    lineage: Lineage
    backlog: Backlog
    fence: Fence
    shapes: Shapes
    timing: LeaseTiming
    polling: Polling
    instruments: Instruments

    def __call__(self, row: StreamRow, lease: Lease, epoch: int) -> ShardConsumer:
        """Return a consumer that takes `lease` as it was read, in this epoch of the fence."""
        writer = LeaseWriter(
            self.store, self.instruments, row.key, lease, self.worker_id, self.timing
        )
        gaps = GapRecorder(self.store, self.fence, self.instruments, row.key, epoch)
        goal, pace = ShardGoal(), Pace(self.polling)
        outlets = tuple(self.backlog.outlets.values())
        routes = [outlet.event_type.route for outlet in outlets]
        assembler = Assembler(routes, row.arn, self.shapes)

        def new_reader(watermark: AckWatermark, checkpointer: Checkpointer) -> Reader:
            reservations = PageReservations(self.backlog, watermark.tenure.member)
            return Reader(
                pages=ShardPages(
                    client=self.client,
                    lineage=self.lineage,
                    row=row,
                    writer=writer,
                    checkpointer=checkpointer,
                    gaps=gaps,
                    instruments=self.instruments,
                ),
                intake=Intake(
                    backlog=self.backlog,
                    watermark=watermark,
                    outlets=outlets,
                    assembler=assembler,
                    gaps=gaps,
                    reservations=reservations,
                    hot_key_limits=self._hot_key_limits,
                    instruments=self.instruments,
                ),
                reservations=reservations,
                checkpointer=checkpointer,
                pace=pace,
                instruments=self.instruments,
            )

        return ShardConsumer(
            row=row,
            epoch=epoch,
            writer=writer,
            goal=goal,
            commands=OperatorCommands(
                store=self.store,
                row=row,
                writer=writer,
                gaps=gaps,
                goal=goal,
                instruments=self.instruments,
            ),
            new_reader=new_reader,
            backlog=self.backlog,
            lineage=self.lineage,
            timing=self.timing,
            clock=self.instruments.clock,
        )

    def _hot_key_limits(self) -> dict[str, float]:
        """Return how many unsettled events of one key stop a shard from reading, by event type.

        More could not be published in half of the drain time, and a hand-over would end with a
        duplicate. A hand-over does not wait for an event type that is stopped or backs off beside
        others, so nor does the reader.
        """
        seconds = self.timing.drain / 2
        outlets = self.backlog.outlets
        return {
            name: outlet.hot_key_limit(seconds) if outlet.publishes or len(outlets) == 1 else inf
            for name, outlet in outlets.items()
        }
