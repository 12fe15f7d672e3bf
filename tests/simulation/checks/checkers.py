"""The checkers: what must hold whatever happens, judged on what the twins see.

They stand outside the code and know only what crosses a port. Each has a name; a violation is noted
with the time, and the run ends soon after.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import orjson

from consumer.core.dead_letters.dead_letter import DeadLetter
from consumer.core.event.event import TOUCH_ATTRIBUTE
from consumer.core.leases.checkpoint import SHARD_END
from consumer.core.leases.lease import ALL_SHARDS, Gap, Lease, LeaseWrite, StreamRow
from tests.simulation.checks.ahead_check import AheadCheck
from tests.simulation.checks.calls import Calls
from tests.simulation.checks.limits import Limits
from tests.simulation.checks.narrowing import HIDDEN, Expected, expected_of
from tests.simulation.checks.reader_check import ReaderCheck
from tests.simulation.checks.rows import untold_hole, wrong_gap, wrong_start, wrong_stream_gap
from tests.simulation.checks.seeks import is_sought
from tests.simulation.checks.truth import EventTruth, Record, ShardTruth, Truth, wall
from tests.simulation.loop import SimLoop
from tests.simulation.scenario import Scenario
from tests.simulation.trace import Trace
from tests.twins.lease_table import LeaseTable

MOST_SKEW = 2.6
"""Seconds by which a worker may be wrong about the time of day, and a creation time is floored."""


@dataclass(frozen=True)
class Violation:
    """`check` is the checker's name."""

    at: float
    check: str
    text: str

    def __str__(self) -> str:
        return f"{self.at:.3f} {self.check}: {self.text}"


class Checks:
    """All of them. `orderly`: nothing may be accepted twice."""

    def __init__(
        self,
        loop: SimLoop,
        truth: Truth,
        table: LeaseTable,
        trace: Trace,
        scenario: Scenario,
    ) -> None:
        self._loop = loop
        self._truth = truth
        self._table = table
        self._trace = trace
        self._scenario = scenario
        self._runs = scenario.limits.key_run_events > 1
        self.orderly = scenario.orderly
        self.limits = Limits(loop, scenario, self.fail)
        self.ahead = AheadCheck(loop, truth, table, scenario, self.fail)
        self.readers = ReaderCheck(loop, truth, scenario, self.fail)
        self.violations: list[Violation] = []
        self.calls = Calls()
        self.accepted = 0
        self.stored_types: set[str] = set()  # event types in which anything was stored
        self.abandoned: set[str] = set()  # workers that ended with a request under way
        self._deadlines: dict[str, float] = {}  # by the true time
        self._flying: dict[str, Counter[tuple[str, str]]] = {}  # keys in flight, by worker
        self._newest: dict[tuple[str, str], EventTruth] = {}  # per key, of those first accepted
        self._reached: dict[tuple[str, str], dict[int, Record]] = {}  # and by version of the rules
        self._last: dict[tuple[str, str], EventTruth] = {}  # accepted last while its sender waited
        self._checkpoints: dict[str, int] = {}
        self._obeyed: dict[str, int] = {}  # number of the last command, by shard
        self._parsed: dict[bytes, EventTruth] = {}

    @property
    def now(self) -> float:
        return self._loop.now

    def fail(self, check: str, text: str) -> None:
        violation = Violation(self.now, check, text)
        self.violations.append(violation)
        self._trace.add(self.now, "CHECK", check, "", text)

    # -- fence

    def beat(self, worker: str, sent_at: float) -> None:
        """A heartbeat's answer is being processed."""
        deadline = self._deadlines.get(worker, -1.0)
        timing = self._scenario.timing_of(worker)
        until = sent_at + timing.lease_duration - timing.margin
        if self.now < deadline or self.now < until:
            self._deadlines[worker] = max(deadline, until)

    def _may_send(self, worker: str, shard: ShardTruth, what: str) -> None:
        if self.now >= self._deadlines.get(worker, -1.0):
            self.fail("fence", f"{worker} sends {what} of {shard.id} after its deadline")
        row = self._table.of(shard.stream_key).get(shard.id)
        owner = None if row is None else row.owner
        if owner != worker:
            self.fail("one sender", f"{worker} sends {what} of {shard.id}, which is {owner}'s")
        elif row is not None and row.paused and what != "a gap row":
            self.fail("paused", f"{worker} sends {what} of {shard.id}, which is paused")

    # -- sending

    def sending(self, worker: str, event_type: str, bodies: Sequence[bytes]) -> list[EventTruth]:
        """A request leaves."""
        self.limits.sending(worker, event_type, bodies)
        events = [self.event_of(body) for body in bodies]
        self.ahead.sending(worker, events)
        for event in events:
            if event.event_type != event_type:
                self.fail("content", f"{worker} sends one of {event.event_type} to {event_type}")
            if event.objected:
                event.record.sent_at = self.now
        keys = Counter(event.key for event in events)
        flying = self._flying.setdefault(worker, Counter())
        for key, times in keys.items():
            if flying[key]:
                self.fail("one in flight", f"{worker} sends {key} while a request has it")
            if times > 1 and not self._runs:
                self.fail("one per request", f"{worker} sends {times} events of {key} at once")
        flying.update(keys)
        for shard in {event.record.shard.id: event.record.shard for event in events}.values():
            self._may_send(worker, shard, "an event")
            self._gate(worker, shard)
        return events

    def _gate(self, worker: str, shard: ShardTruth) -> None:
        for before in self._truth.before(shard):
            if not self._truth.is_done(before):
                self.fail(
                    "parent first", f"{worker} sends of {shard.id} before {before.id} is done"
                )

    def ended(self, worker: str, event_type: str, events: Sequence[EventTruth]) -> None:
        """A request has ended for its sender."""
        self.limits.ended(worker, event_type)
        flying = self._flying[worker]
        for key in {event.key for event in events}:
            del flying[key]

    def event_of(self, body: bytes) -> EventTruth:
        event = self._parsed.get(body)
        if event is None:
            parsed = orjson.loads(body)
            data = parsed["data"]
            record = self._truth.records[int(data["change"]["sequence"])]
            event = self._parsed[body] = self._made_of(record, parsed["data_type"])
            if data["id"] != record.key:
                self.fail("content", f"{record.sequence} has key {data['id']}, not {record.key}")
            if event.expected:
                self._judge(event, parsed)
                self._search(event, body)
        return event

    def _made_of(self, record: Record, event_type: str) -> EventTruth:
        """The event that an event type has of a record; one of its own if there must be none."""
        if event_type not in record.events:
            self.fail("content", f"{record.sequence} {record.kinds} is none of {event_type}")
            return EventTruth(record, event_type, frozenset())
        return record.events[event_type]

    def _judge(self, event: EventTruth, parsed: dict[str, Any]) -> None:
        """What the event says of the change, and which image it carries."""
        data, record = parsed["data"], event.record
        crossings = [name for name in ("entered", "left") if name in data["change"]]
        said = Expected(parsed["data_op"], next(iter(crossings), None), "patch" in data)
        if said not in event.expected or len(crossings) > 1:
            self.fail("content", f"{record.sequence} {record.kinds} is told as {said}")
        told = data["change"].get("touched", False), data.get("patch") == []
        if told != (record.touched, record.touched):
            self.fail("content", f"{record.sequence}: touched and an empty patch, {told}")
        kind = record.kinds[said.shows_new]
        if self._scenario.has_kinds and data.get("kind") != kind:
            self.fail("content", f"{record.sequence} {record.kinds} shows kind {data.get('kind')}")

    def _search(self, event: EventTruth, text: bytes) -> None:
        """Look for what the event type hides, in whatever leaves a worker."""
        name = event.event_type
        if TOUCH_ATTRIBUTE.encode() in text:
            self.fail("leak", f"{event.record.sequence} of {name} has the touch attribute")
        hidden = [
            rules[name].hides
            for rules in (self._scenario.rules, self._scenario.later_rules)
            if name in rules
        ]
        if all(hidden) and HIDDEN.encode() in text:
            self.fail("leak", f"{event.record.sequence} of {name} has the hidden attribute")

    # -- what is stored

    def stored(self, worker: str, body: bytes, *, late: bool) -> None:
        """Nakadi has an event; `late`: its sender does not wait for the answer any more.

        It is late, too, when the shard is not its sender's any more: nobody can fence that.
        """
        event = self._parsed[body]
        record = event.record
        row = self._table.of(record.shard.stream_key).get(record.shard.id)
        late = late or row is None or row.owner != worker
        forgotten = record.ordinal < record.shard.shard.trimmed
        event.accepted += 1
        self.accepted += 1
        self.readers.stored(worker, event, body)
        self.stored_types.add(event.event_type)
        if self._truth.is_early(record):
            self.fail("start", f"{record.sequence} of {record.shard.id} is older than the start")
        last = self._last.get(event.key)
        newer = last is None or record.place > last.record.place
        if newer or not (late or self._truth.is_stepping_back(record)):
            self._last[event.key] = event
        again = event.first_body is not None
        if not (late and forgotten):  # reading went on without it: a gap, or gone unseen
            if not again:
                self._first(event)
            self._reach(worker, event)
        if not again:
            event.first_body = body
        elif event.first_body != body and len(event.expected) == 1:
            self.fail("identical", f"{record.sequence} came again with other bytes")
        elif self.orderly and not is_sought(self._table, record.shard):
            self.fail("no duplicates", f"{record.sequence} of {record.shard.id} came twice")

    def _first(self, event: EventTruth) -> None:
        """It is stored for the first time: nothing newer was, by workers whose rules take it.

        Others passed it by. Who repeats what they have done since the checkpoint sends it later.
        """
        record, newest = event.record, self._newest.get(event.key)
        if newest is None or record.place > newest.record.place:
            self._newest[event.key] = event
            return
        if self._runs or event.dead or self._truth.is_stepping_back(record):
            return
        for version, reached in self._reached[event.key].items():
            beside = self._are_beside(record.shard.stream_key, reached.shard.stream_key)
            if reached.place > record.place and self._takes(version, event) and not beside:
                before = reached.sequence
                self.fail("order", f"{record.sequence} of {event.key} comes after {before}")
                return

    def _are_beside(self, older: str, newer: str) -> bool:
        """Whether the older stream got its row after the newer one, by a request that came late.

        Then they are read side by side.
        """
        rows = list(self._table.streams)
        return {older, newer} <= {*rows} and rows.index(older) > rows.index(newer)

    def _reach(self, worker: str, event: EventTruth) -> None:
        """Note how far workers with these rules have come."""
        version = self._scenario.version_of(worker)
        reached = self._reached.setdefault(event.key, {})
        if version not in reached or event.record.place > reached[version].place:
            reached[version] = event.record

    def _takes(self, version: int, event: EventTruth) -> bool:
        rules, name = self._scenario.versions[version], event.event_type
        return name in rules and expected_of(rules, name, event.record.kinds) is not None

    def letters_sent(self, worker: str, letters: Sequence[DeadLetter]) -> None:
        for letter in letters:
            self._may_send(worker, self._truth.shards[letter.shard_id], "a dead letter")
            event = self._lettered(letter)
            self._search(event, (letter.event or b"") + (letter.record or b""))
            if not self._guilty(event, letter.reason):
                text = f"{worker} gives {letter.sequence} of {event.key} up: {letter.reason}"
                self.fail("innocent", text)

    def _lettered(self, letter: DeadLetter) -> EventTruth:
        return self._made_of(self._truth.records[letter.sequence or 0], letter.event_type)

    def _guilty(self, event: EventTruth, reason: str) -> bool:
        """Was there a cause to give the event up?"""
        match reason:
            case "expired":
                age = wall(self.now) - int(event.record.at) + MOST_SKEW
                return age >= (self._scenario.limits.max_record_age or inf)
            case "attempts_exhausted":
                partitions_fail = self._scenario.has("nakadi_partial") or self._scenario.has(
                    "nakadi_down"
                )
                return event.objected or partitions_fail
            case "too_large":
                return event.objected
            case _:
                return event.poison or self._scenario.has("nakadi_refused")

    def letter_stored(self, worker: str, letter: DeadLetter) -> None:
        if letter.sequence is not None:
            event = self._lettered(letter)
            event.dead += 1
            if letter.event is not None:
                self.readers.lettered(worker, event, letter.event)

    # -- leases

    def lease_sent(self, worker: str, stream_key: str, write: LeaseWrite) -> None:
        """A conditional write leaves."""
        row = write.row
        doing = f"{row.owner} #{row.counter} {row.checkpoint}"
        self._trace.add(self.now, worker, "write_lease", row.shard_id, doing)
        if write.keeps_checkpoint:
            return
        shard = self._truth.shards[row.shard_id]
        self.ahead.lease_sent(worker, row)
        first = self._truth.first_unsettled(shard)
        if row.checkpoint == SHARD_END:
            if shard.shard.ending is None and not shard.shard.gone:
                self.fail("shard end", f"{worker} ends {row.shard_id}, which is open")
            elif first is not None:
                self.fail("shard end", f"{worker} ends {row.shard_id} before {first.sequence}")
        elif first is not None and _rank(row.checkpoint) >= first.sequence:
            text = f"{worker} writes {row.checkpoint} of {row.shard_id}"
            self.fail("checkpoint", f"{text}, but {first.sequence} is not settled")

    def gap_sent(self, worker: str, stream_key: str, gap: Gap) -> None:
        self._trace.add(self.now, worker, "put_gap", gap.shard_id, f"{gap.from_} {gap.reason}")
        if gap.shard_id == ALL_SHARDS:
            wrong = wrong_stream_gap(gap, stream_key, self._truth, self._table)
            if wrong is not None:
                self.fail("gap", f"{worker} says {gap.reason} of {stream_key}, {wrong}")
            return
        shard = self._truth.shards[gap.shard_id]
        if gap.shard_id in self._table.of(stream_key):
            self._may_send(worker, shard, "a gap row")
        elif not shard.shard.gone:
            self.fail("gap", f"{worker} says {gap.shard_id} is gone, which is not")
        if gap.reason == "seek":
            if not is_sought(self._table, shard):
                self.fail("gap", f"{worker} reports a seek in {gap.shard_id}, but nobody wanted it")
        elif not self._truth.trims and gap.reason not in ("possibly_trimmed", "shard_gone"):
            self.fail("gap", f"{worker} reports a gap in {gap.shard_id}, but nothing was trimmed")
        row = self._table.of(stream_key).get(gap.shard_id)
        wrong = wrong_gap(gap, row, shard, self._truth, self.now)
        if wrong is not None:
            self.fail("gap", f"{worker} says {gap.reason} of {gap.shard_id}, {wrong}")

    def landed(self, worker: str, operation: str, key: str, result: object) -> None:
        """A write of the lease table took effect."""
        if operation == "put_worker":
            return
        if isinstance(result, Lease):
            text = f"{result.owner} #{result.counter} {result.checkpoint}"
            self._trace.add(self.now, worker, "lease stands", key, text)
            self.ahead.landed(result)
            self._forward(worker, result)
            return
        of, detail = (key, "") if key in self._truth.shards else ("", key)
        self._trace.add(self.now, worker, operation, of, detail)
        if isinstance(result, StreamRow):
            never = set(result.published or ()) - self.stored_types
            if never:
                self.fail("ready", f"{key} says that something was stored in {never}")
            wrong = wrong_start(result, self._scenario, self.now)
            if wrong is not None:
                self.fail("start", f"{worker}: {wrong}")
            silent = not self._truth.is_passed_by(self._truth.stream(result.key))
            if result.passed_by is not None and silent:
                self.fail("gap", f"{worker} passes {result.key} by in silence")
            if untold_hole(result, self._table):
                self.fail("gap", f"{worker} lists {result.key}, and no hole before it is told")

    def _forward(self, worker: str, row: Lease) -> None:
        before = self._checkpoints.get(row.shard_id, -1)
        after = _rank(row.checkpoint)
        obeyed = row.command_counter > self._obeyed.get(row.shard_id, 0)
        self._obeyed[row.shard_id] = row.command_counter
        sought = obeyed and is_sought(self._table, self._truth.shards[row.shard_id])
        if after < before and not sought:
            self.fail("backwards", f"{worker} moves {row.shard_id} back to {row.checkpoint}")
        self._checkpoints[row.shard_id] = after

    # -- the end

    def newest_last(self) -> None:
        """With runs: what was accepted last of a key is its newest.

        Unless the stream forgot that before the one who sent older ones again came to it, or an
        operator sent it elsewhere.
        """
        if not self._runs:
            return
        for key, last in self._last.items():
            found = self._newest.get(key)
            if found is None or found.dead or _is_trimmed(found.record):
                continue
            if None in found.expected:
                continue  # whoever came to it last has other routes, which do not take it
            ends, newest = last.record, found.record
            if is_sought(self._table, ends.shard):
                continue
            if ends.place < newest.place:
                text = f"{key} ends with {ends.sequence}, not {newest.sequence}"
                self.fail("newest last", text)


def _is_trimmed(record: Record) -> bool:
    return record.ordinal < record.shard.shard.trimmed


def _rank(checkpoint: str) -> int:
    if checkpoint == SHARD_END:
        return 1 << 200
    return int(checkpoint) if checkpoint.isdigit() else -1
