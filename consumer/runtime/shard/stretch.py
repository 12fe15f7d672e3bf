"""One stretch of a shard's life: from where the lease row says until something ends it.

Ownership: the shard's consumer owns it. A command of the operator ends a stretch and begins the
next; nothing of the old one is left then but its requests in flight, whose tickets are revoked.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from consumer.core.backlog.tenure import Tenure
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.leases.lease import sequence_of
from consumer.runtime.shard.checkpointer import Checkpointer
from consumer.runtime.shard.shard_reading import ShardReading

if TYPE_CHECKING:
    from consumer.core.event.transcode import Transcoder
    from consumer.core.leases.lease import Gap, StreamRow
    from consumer.core.stream.stream import Stream
    from consumer.runtime.shard.lease_writer import LeaseWriter
    from consumer.runtime.shard.relay import Relay


@dataclass(frozen=True, slots=True)
class Stretch:
    """What stands at one place of the shard together."""

    watermark: AckWatermark
    checkpointer: Checkpointer
    reading: ShardReading


def begin_stretch(
    *,
    relay: Relay,
    stream: Stream,
    row: StreamRow,
    writer: LeaseWriter,
    transcoder: Transcoder,
    epoch: int,
    gap: Gap | None = None,
) -> Stretch:
    """Stand where the lease row says. `gap` ends with the first record that is not skipped."""
    lease = writer.lease
    tenure = Tenure(stream.arn, lease.shard_id, epoch)
    watermark = AckWatermark(tenure, sequence_of(lease.checkpoint), lease.record_at)
    checkpointer = Checkpointer(writer, watermark, relay.clock, relay.timing.checkpoint)
    reading = ShardReading(
        relay=relay,
        stream=stream,
        row=row,
        writer=writer,
        transcoder=transcoder,
        watermark=watermark,
        checkpointer=checkpointer,
        gap=gap,
    )
    return Stretch(watermark, checkpointer, reading)
