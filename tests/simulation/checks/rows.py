"""What rows of the lease table may say: where a stream's start is, and what is missing of a shard.

Each function returns what is wrong with a row, None if nothing is.
"""

from consumer.core.leases.checkpoint import sequence_of
from consumer.core.leases.lease import SEEK, Gap, Lease, StreamRow
from consumer.core.shard.gap import BETWEEN_STREAMS, SURE_SECONDS
from localdev.streams.model.stream import Stream as ModelStream
from tests.simulation.checks.truth import Record, ShardTruth, Truth, fits, wall
from tests.simulation.scenario import Scenario
from tests.twins.lease_table import LeaseTable

MOST_SKEW = 60.0
"""More seconds than clocks differ, and times are floored by."""


def wrong_start(row: StreamRow, scenario: Scenario, now: float) -> str | None:
    """A start that is later than it was to be loses what lies between; `now` is a loop time."""
    if row.after is not None:
        return None if row.started_at is None else f"{row.key} follows, but skips records"
    if scenario.has("latest"):
        if row.bootstrapped and (row.started_at is None or row.started_at > wall(now)):
            return f"{row.key} starts at {row.started_at}, but it is {wall(now)}"
        return None
    start = None if scenario.start is None else wall(scenario.start)
    same = start == row.started_at or abs((start or 0.0) - (row.started_at or 0.0)) < 0.001
    return None if same else f"{row.key} starts at {row.started_at}, but {start} was asked for"


def wrong_gap(
    gap: Gap, row: Lease | None, shard: ShardTruth, truth: Truth, now: float
) -> str | None:
    """A gap that is told though nothing can be missing, or too late. (A doubt is told, too.)"""
    early = _older(gap, shard, truth)
    if early is not None:
        return f"since {gap.from_time}, but {early.sequence} is older"
    match gap.reason:
        case "trimmed":
            if not shard.shard.trimmed:
                return "but nothing of the shard was trimmed"
            if _lost(shard, truth) or row is None or not _caught_up(row.caught_up_at, now):
                return None
            last = truth.records.get(sequence_of(gap.from_) or 0)
            aged = last is not None and _age(last, now) > SURE_SECONDS + MOST_SKEW
            return "but it was settled to its tip, and is old" if aged else None
        case "possibly_trimmed":
            if row is None or row.record_at is not None:
                return None
            young = _caught_up(max(row.created_at, row.caught_up_at or 0.0), now)
            return "but the shard is young" if young else None
        case "shard_gone":
            return None if shard.shard.gone else "but it is there"
        case _:
            return None


def wrong_stream_gap(gap: Gap, stream_key: str, truth: Truth, table: LeaseTable) -> str | None:
    """A stream is given up though it can be read, or before its turn."""
    stream = truth.stream(stream_key)
    if gap.reason == "stream_gone":
        return None if stream.gone else "but it is there"
    if gap.reason == BETWEEN_STREAMS:
        return _wrong_hole(gap, stream, table)
    if fits(stream):
        return "but it can be read"
    if not any(row.label > stream.label for row in table.streams.values()):
        return "but it is the newest"
    older = [shard for shard in truth.shards.values() if shard.stream.label < stream.label]
    unread = [shard.id for shard in older if not truth.is_done(shard)]
    return f"but {unread[0]} is not done" if unread else None


def untold_hole(row: StreamRow, table: LeaseTable) -> bool:
    """Two streams were listed, and no gap row says that their table had none between them."""
    older = [each for each in table.streams.values() if each.label < row.label]
    before = max(older, key=lambda each: each.label, default=None)
    if before is None or not (row.sweep_done and before.sweep_done):
        return False
    gaps = table.gaps.get(before.key, {}).values()
    return all(gap.reason != BETWEEN_STREAMS for gap in gaps)


def _wrong_hole(gap: Gap, stream: ModelStream, table: LeaseTable) -> str | None:
    if all(row.label <= stream.label for row in table.streams.values()):
        return "but no stream follows it"
    if stream.enabled:
        return "but it is enabled"
    written = [entry.at for shard in stream.shards.values() for entry in shard.history]
    late = gap.from_time is None or gap.from_time > max([stream.created_at, *written]) + MOST_SKEW
    return "but that is not since its end" if late else None


def _older(gap: Gap, shard: ShardTruth, truth: Truth) -> Record | None:
    """A record of the gap that was made before the time from which the row says it is."""
    if gap.reason == SEEK or gap.from_time is None:
        return None
    begun, since = sequence_of(gap.from_) or 0, gap.from_time - MOST_SKEW
    lost = (r for r in shard.records[: shard.shard.trimmed] if r.sequence > begun and r.at < since)
    return next((record for record in lost if not truth.is_settled(record)), None)


def _caught_up(at: float | None, now: float) -> bool:
    return at is not None and wall(now) - at < SURE_SECONDS - MOST_SKEW


def _age(record: Record, now: float) -> float:
    return wall(now) - record.at


def _lost(shard: ShardTruth, truth: Truth) -> bool:
    """A record is gone that nobody has read."""
    return any(not truth.is_settled(record) for record in shard.records[: shard.shard.trimmed])
