"""What runs ahead of a checkpoint: a mark says no more than is true, and no less than is known.

`ahead`: up to its end, a mark covers nothing that an event type lacks which it does not name.
`repeats`: nobody sends what the row of the shard says is settled. And where one event type is
behind alone, what the others were told to be stored is in the next row that is written.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from consumer.core.leases.checkpoint import SHARD_END, sequence_of
from consumer.core.leases.command import Action
from consumer.core.leases.lease import Lease
from consumer.core.leases.mark import Mark
from tests.simulation.checks.truth import EventTruth, ShardTruth, Truth
from tests.simulation.loop import SimLoop
from tests.simulation.scenario import Scenario
from tests.twins.lease_table import LeaseTable

SOON = 10.0
"""Seconds after an answer in which its events are in a row: more than between checkpoints."""

HINDERED = ("cut", "table_lost", "table_out", "damaged", "denied")
"""Kinds with which a row may be written much later than what it says was known."""


@dataclass
class _Held:
    """One tenure of a shard, as far as its owner can know: `told` is when each event was stored.

    Only of what was `sent` in it: what is told later of a tenure before is told to nobody.
    """

    owner: str | None
    counter: int
    begun: int
    sent: set[tuple[int, str]] = field(default_factory=set)
    told: dict[tuple[int, str], float] = field(default_factory=dict)
    written: Lease | None = None


class AheadCheck:
    """Judges marks, by what crosses the ports."""

    def __init__(
        self,
        loop: SimLoop,
        truth: Truth,
        table: LeaseTable,
        scenario: Scenario,
        fail: Callable[[str, str], None],
    ) -> None:
        self._loop = loop
        self._truth = truth
        self._table = table
        self.fail = fail
        self._hindered = any(scenario.has(kind) for kind in HINDERED)
        self._held: dict[str, _Held] = {}
        self._obeyed: dict[str, int] = {}  # number of the last command, by shard

    def sending(self, worker: str, events: Iterable[EventTruth]) -> None:
        """A request leaves."""
        for event in events:
            shard, number = event.record.shard, event.record.sequence
            held = self._held.get(shard.id)
            if held is not None and held.owner == worker:
                held.sent.add((number, event.event_type))
            row = self._table.of(shard.stream_key).get(shard.id)
            if row is None or row.owner != worker or not _covers(row, number, event.event_type):
                continue
            self.fail("repeats", f"{worker} sends {number} to {event.event_type}, settled in {row}")

    def answered(self, worker: str, events: Iterable[EventTruth]) -> None:
        """Its sender is told that all of a request is stored."""
        for event in events:
            held = self._held.get(event.record.shard.id)
            name = (event.record.sequence, event.event_type)
            if held is not None and held.owner == worker and name in held.sent:
                held.told[name] = self._loop.now

    def landed(self, row: Lease) -> None:
        """A row stands in the table. A new counter begins anew with what the row says."""
        held = self._held.get(row.shard_id)
        if self._is_sought(row) and _holds(row):
            self.fail("ahead", f"{row.shard_id} was sought, and yet {row} has a mark")
        self._obeyed[row.shard_id] = row.command_counter
        if held is None or (held.owner, held.counter) != (row.owner, row.counter):
            begun = sequence_of(row.checkpoint) or 0
            self._held[row.shard_id] = _Held(row.owner, row.counter, begun)

    def lease_sent(self, worker: str, row: Lease) -> None:
        """A row leaves that says how far its shard is settled."""
        shard = self._truth.shards[row.shard_id]
        mark = row.mark
        if mark is not None and _holds(row):
            for record in shard.records:
                if record.sequence > mark.ahead.to or self._truth.is_settled(record):
                    continue
                lacking = {
                    event.event_type for event in record.left if _is_of(mark, event.event_type)
                }
                if lacking:
                    text = f"{worker} says that all but {mark.ahead.behind} of {row.shard_id} is"
                    self.fail("ahead", f"{text} settled, but {record.sequence} of {lacking}")
        self._judge_what_is_known(worker, shard, row)

    def _is_sought(self, row: Lease) -> bool:
        """The row obeys a seek for all event types, and none for a single one after it."""
        if row.finished or row.shard_id not in self._obeyed:
            return False
        key = self._truth.shards[row.shard_id].stream_key
        seeks = [
            command
            for command in self._table.commands.get(key, {}).values()
            if self._obeyed[row.shard_id] < command.number <= row.command_counter
            if command.action in (Action.SEEK, Action.SEEK_EVENT_TYPE)
            if command.concerns(row.shard_id)
        ]
        return bool(seeks) and max(seeks, key=lambda each: each.number).action is Action.SEEK

    def _judge_what_is_known(self, worker: str, shard: ShardTruth, row: Lease) -> None:
        held = self._held.get(row.shard_id)
        if self._hindered or held is None or held.owner != worker or row.checkpoint == SHARD_END:
            return
        counts = (held.counter, held.counter + (row.owner is None))
        again = row == held.written  # the same write once more
        held.written = row
        if again or row.counter not in counts or row.command_counter != self._commands(row):
            return
        since = self._loop.now - SOON
        told = [each for each, at in held.told.items() if at <= since]
        newest = max((number for number, _ in held.told), default=0)
        if row.mark is not None:
            newest = max(newest, row.mark.ahead.to)
        behind = self._behind(shard, held, newest)
        if len(behind) != 1:
            return
        for number, name in told:
            if name not in behind and not _covers(row, number, name):
                text = f"{worker} forgets {number} of {name}, told {SOON} s ago or more"
                self.fail("repeats", f"{text}, in {row}: only {behind} is behind")
                return

    def _behind(self, shard: ShardTruth, held: _Held, newest: int) -> Sequence[str]:
        """The event types of which something below the newest that was told is not."""
        found: dict[str, None] = {}
        for record in shard.records:
            if not held.begun < record.sequence <= newest:
                continue
            for name, event in record.events.items():
                if (record.sequence, name) not in held.told and not self._was_covered(event):
                    found[name] = None
        return [*found]

    def _was_covered(self, event: EventTruth) -> bool:
        row = self._table.of(event.record.shard.stream_key).get(event.record.shard.id)
        return row is not None and _covers(row, event.record.sequence, event.event_type)

    def _commands(self, row: Lease) -> int:
        stands = self._table.of(self._truth.shards[row.shard_id].stream_key).get(row.shard_id)
        return -1 if stands is None else stands.command_counter


def _holds(row: Lease) -> bool:
    return row.mark is not None and row.mark.command_counter == row.command_counter


def _covers(row: Lease, number: int, event_type: str) -> bool:
    """Whether a row says that an event is settled."""
    if row.checkpoint == SHARD_END or number <= (sequence_of(row.checkpoint) or 0):
        return True
    if row.mark is None or not _holds(row):
        return False
    return number <= row.mark.ahead.to and _is_of(row.mark, event_type)


def _is_of(mark: Mark, event_type: str) -> bool:
    """Whether a mark says that this event type is ahead."""
    known = mark.ahead.event_types
    return event_type not in mark.ahead.behind and (known is None or event_type in known)
