"""Faults in where a stream starts and in what is told of its gaps."""

from msgspec.structs import replace

from consumer.core.leases.checkpoint import TRIM_HORIZON
from consumer.core.leases.lease import Gap, Lease, StreamRow
from consumer.runtime.discovery import bootstrap, listing
from consumer.runtime.discovery.discovery import Discovery
from consumer.runtime.discovery.listing import ShardListing
from consumer.runtime.discovery.sweep_claim import SweepClaim
from consumer.runtime.shard import shard_pages
from consumer.runtime.shard.gaps import GapRecorder
from tests.simulation.mutants.plant import plant

LATE = 20.0


def latest_starts_late() -> None:
    original = SweepClaim.bootstrapped

    async def bootstrapped(self: SweepClaim, started_at: float) -> None:
        await original(self, started_at + LATE)

    plant(SweepClaim, "bootstrapped", bootstrapped)


def time_starts_late() -> None:
    original = bootstrap._started_at

    def started_at(start_position: str) -> float | None:
        at = original(start_position)
        return None if at is None else at + LATE

    plant(bootstrap, "_started_at", started_at)


def every_trim_is_a_gap() -> None:
    def trimmed_gap(
        lease: Lease, last_read: int | None, _at: object, _progress: object, wall: float
    ) -> Gap:
        begun = TRIM_HORIZON if last_read is None else str(last_read)
        return Gap(lease.shard_id, begun, None, "trimmed", wall)

    plant(shard_pages, "trimmed_gap", trimmed_gap)


def gaps_said_to_begin_later() -> None:
    """When it was found, in place of when the last settled record was made."""
    original = GapRecorder.record

    async def record(self: GapRecorder, gap: Gap) -> None:
        await original(self, replace(gap, from_time=gap.detected_at))

    plant(GapRecorder, "record", record)


def gap_rows_not_written() -> None:
    async def record(_self: GapRecorder, _gap: Gap) -> None:
        return

    plant(GapRecorder, "record", record)


def listing_not_paced() -> None:
    async def pace(_self: ShardListing) -> None:
        return

    plant(ShardListing, "_pace", pace)


def unlisted_shard_taken_for_gone() -> None:
    async def shard_exists(self: Discovery, row: StreamRow, shard_id: str) -> bool:
        return shard_id in (await self._listing.fresh(row.stream)).shard_ids

    plant(Discovery, "shard_exists", shard_exists)


def stream_denied_once_taken_for_gone() -> None:
    plant(listing, "GONE_SECONDS", 0.0)
