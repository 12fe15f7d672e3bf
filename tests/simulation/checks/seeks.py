"""What an operator's seek allows: records passed over, or published again."""

from datetime import datetime
from typing import TYPE_CHECKING

from consumer.core.leases.checkpoint import LATEST, TRIM_HORIZON, sequence_of
from consumer.core.leases.command import Action, Command
from consumer.core.leases.lease import Gap
from tests.twins.lease_table import LeaseTable

if TYPE_CHECKING:
    from tests.simulation.checks.truth import Record, ShardTruth

MINUTE = 60.0


def is_sought(table: LeaseTable, shard: "ShardTruth") -> bool:
    """An operator has sent the shard somewhere: what was published may come again."""
    return bool(_seeks(table, shard))


def is_passed_over(table: LeaseTable, record: "Record") -> bool:
    """A command wanted that the record is not published, and a gap row tells of it."""
    seeks = [each for each in _seeks(table, record.shard) if each.action is Action.SEEK]
    if not seeks or not any(_skips(command, record) for command in seeks):
        return False
    gaps = table.gaps.get(record.shard.stream_key, {}).values()
    return any(_tells(gap, record) for gap in gaps)


def is_told(table: LeaseTable, shard: "ShardTruth") -> bool:
    """Whether gap rows of seeks in the shard speak for what is trimmed, too.

    Where the time of a shard's position is not known, a seek to a time or to an end of the stream
    makes one, since nothing else could tell of unsettled records that are trimmed before they are
    read again.
    """
    targets = [each.target or TRIM_HORIZON for each in _seeks(table, shard)]
    return any(sequence_of(target) is None for target in targets)


def _seeks(table: LeaseTable, shard: "ShardTruth") -> list[Command]:
    commands = table.commands.get(shard.stream_key, {}).values()
    seeks = (Action.SEEK, Action.SEEK_EVENT_TYPE)
    return [c for c in commands if c.action in seeks and c.concerns(shard.id)]


def _skips(command: Command, record: "Record") -> bool:
    """A time is met to the minute; reading goes on behind a sequence number."""
    target = command.target or TRIM_HORIZON
    number = sequence_of(target)
    if number is not None:
        return record.sequence <= number
    if target == TRIM_HORIZON:
        return False
    at = command.issued_at if target == LATEST else datetime.fromisoformat(target).timestamp()
    return record.at < at - at % MINUTE


def names(gap: Gap, record: "Record") -> bool:
    """Whether the gap tells of the record: under a mark only for who was behind."""
    if gap.ahead is None or record.sequence > gap.ahead.to:
        return True
    return {event.event_type for event in record.left} <= {*gap.ahead.behind}


def _tells(gap: Gap, record: "Record") -> bool:
    """A row from there on, whatever its reason: a loss takes a seek's place.

    Its `to` is the first record read after it.
    """
    if gap.shard_id != record.shard.id or not names(gap, record):
        return False
    begun = sequence_of(gap.from_)
    return (begun is None or begun < record.sequence) and (
        gap.to is None or record.sequence < int(gap.to)
    )
