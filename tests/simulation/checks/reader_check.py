"""What a reader ends with: each log of a run is read by the reference reader.

`reader`: of each item it must end with the last change that the event type has, as it is shown, or
with what was read from the table later. For a view, and where every change passes, that is the
table's state. Not so far come changes that are nowhere in the log: letters that nobody redrives,
and what an operator or a gap skips. Once all of the table is read, a reader that is repaired and
swept must end with the table, whatever was lost.

Each log is read three times: as it is, with each letter redriven at once, and with each redriven as
late as it can be. In some runs, some of the workers are of the version before: their events do not
name their stream.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import orjson

from consumer.core.event.event import TOUCH_ATTRIBUTE
from localdev.streams.model.attribute import AttributeValue
from tests.reference.reader import Event, Item, Reader
from tests.simulation.checks.narrowing import (
    HIDDEN,
    PICKED,
    Narrowing,
    Rules,
    Showing,
    expected_of,
)
from tests.simulation.checks.readings import Reading, Readings
from tests.simulation.checks.truth import EventTruth, Record, Truth, wall
from tests.simulation.loop import SimLoop
from tests.simulation.scenario import Scenario

LETTERS_LIVE = 14 * 24 * 3600.0
OLDER_RUNS, OLDER_WORKERS = 0.5, 0.5
"""How many runs have workers of the version before, and how many of their workers are."""

LONG_AFTER = 3600.0
AFTERWARDS = "afterwards"


@dataclass(frozen=True, slots=True)
class _Line:
    """An event in the log at a time (epoch seconds): a worker's, or that of a reading."""

    at: float
    body: bytes
    worker: str = ""
    truth: EventTruth | None = None
    reading: Reading | None = None


class ReaderCheck:
    """Keeps the logs of a run and reads them when it is over."""

    def __init__(
        self, loop: SimLoop, truth: Truth, scenario: Scenario, fail: Callable[[str, str], None]
    ) -> None:
        self._loop = loop
        self._truth = truth
        self._scenario = scenario
        self.fail = fail
        self._logs: dict[str, list[_Line]] = {}  # by event type
        self._letters: dict[str, list[_Line]] = {}
        self._events: dict[bytes, dict[str, Any]] = {}

    def stored(self, worker: str, event: EventTruth, body: bytes) -> None:
        """Nakadi has an event."""
        line = _Line(wall(self._loop.now), body, worker, event)
        self._logs.setdefault(event.event_type, []).append(line)

    def lettered(self, worker: str, event: EventTruth, body: bytes) -> None:
        """The dead letter queue has one."""
        line = _Line(wall(self._loop.now), body, worker, event)
        self._letters.setdefault(event.event_type, []).append(line)

    def judge(self, readings: Readings) -> None:
        """Read all logs, each beside readings of the table."""
        read = _by_event_type(readings.meanwhile())
        last = wall(self._loop.now) + LETTERS_LIVE + LONG_AFTER
        afterwards = _by_event_type(readings.afterwards(AFTERWARDS, last))
        for name in [*dict.fromkeys([*self._logs, *self._letters])]:
            log = _in_order([*self._logs.get(name, []), *read.get(name, [])])
            letters = self._letters.get(name, [])
            late = [replace(line, at=line.at + LETTERS_LIVE) for line in letters]
            for redriven in ([], letters, late) if letters else ([],):
                lines = _in_order([*log, *redriven])
                self._judge(name, lines)
                self._judge_repaired(name, [*lines, *afterwards.get(name, [])], last)

    def _judge(self, name: str, log: Sequence[_Line]) -> None:
        reader = Reader(("id",))
        last: dict[str, tuple[EventTruth, Event]] = {}
        read: dict[str, list[Reading]] = {}
        for line, event in self._read(log):
            reader.forget(line.at)
            if not self._take(reader, event, line):
                return
            if line.reading is not None:
                read.setdefault(line.reading.key, []).append(line.reading)
            elif line.truth is not None:
                key = line.truth.record.key
                # Of two workers with other rules each may have told of it: the first one counts.
                if key not in last or last[key][0].record.place < line.truth.record.place:
                    last[key] = line.truth, event
        items = reader.items
        for key in [*dict.fromkeys([*last, *read])]:
            found = items.get((key,))
            wanted = self._wanted(name, last.get(key), read.get(key, ()))
            if found not in wanted:
                text = f"{name} {key} ends with {_short(found)}"
                self.fail("reader", f"{text}, not {' or '.join(map(_short, wanted))}")
        self._judge_states(name, {key: truth for key, (truth, _) in last.items()}, items)

    def _take(self, reader: Reader, event: Event, line: _Line) -> bool:
        try:
            reader.take(event, line.at)
        except KeyError as error:
            self.fail("reader", f"{str(line.body)[:200]} lacks {error}")
            return False
        return True

    def _wanted(
        self, name: str, last: tuple[EventTruth, Event] | None, read: Sequence[Reading]
    ) -> list[Item | None]:
        """What a reader may end with: the last change, or what was read after it."""
        wanted: list[Item | None] = []
        if last is not None:
            record, event = last[0].record, last[1]
            wanted.append(None if event["data_op"] == "D" else self._shown(name, record))
        since = [r for r in read if last is None or r.at >= last[0].record.at]
        wanted += [self._shown(name, each.record) for each in since]
        return wanted

    def _read(self, log: Sequence[_Line]) -> Iterator[tuple[_Line, Event]]:
        """The events as readers get them: an older version's without their stream.

        Such a version reads no stream but the first; else a reader has nothing to order them by.
        """
        first = log[0].truth.record.shard.stream if log and log[0].truth is not None else None

        def unnamed(line: _Line) -> bool:
            of_first = line.truth is not None and line.truth.record.shard.stream is first
            return of_first and line.worker in self._older

        named = next((line for line in log if not unnamed(line)), None)
        truth = None if named is None else named.truth
        rolls = truth is not None and truth.record.shard.stream is first
        for line in log:
            event = self._events.get(line.body)
            if event is None:
                event = self._events[line.body] = orjson.loads(line.body)
            yield line, _without_stream(event) if rolls and unnamed(line) else event

    @cached_property
    def _older(self) -> "_Workers":
        return _Workers(self._scenario)

    # -- what the table says

    def _judge_states(
        self, name: str, last: Mapping[str, EventTruth], items: Mapping[Any, Item]
    ) -> None:
        """Where all states of the table pass, a reader must end with its last one."""
        rules = self._rules_of_all(name)
        if rules is None or rules.narrowing not in (Narrowing.NONE, Narrowing.VIEW):
            return
        if rules.showing is Showing.CHANGES:
            return
        if rules.narrowing is Narrowing.VIEW and self._scenario.has("drop"):
            return  # a table that is deleted takes its items along, and no record says so
        for key, records in self._truth.by_key.items():
            told = [record for record in records if name in record.events]
            missing = told[-1:] != [last[key].record] if key in last else bool(told)
            if missing:
                continue
            passes = rules.narrowing is Narrowing.NONE or records[-1].kinds[1] == "A"
            self._compare(name, key, items, self._shown(name, records[-1]) if passes else None)

    def _judge_repaired(self, name: str, log: Sequence[_Line], start: float) -> None:
        """All of the table was read in the end: a reader must have what is there, and no more."""
        rules = self._scenario.later_rules
        if name not in rules:
            return  # the routes of who reads do not have it any more
        reader = Reader(("id",), repaired=True)
        for line, event in self._read(log):
            reader.forget(line.at)
            if not self._take(reader, event, line):
                return
        reader.sweep(AFTERWARDS, start, start + LONG_AFTER)
        for key, records in self._truth.by_key.items():
            taken = expected_of(rules, name, (None, records[-1].kinds[1])) is not None
            wanted = self._shown(name, records[-1]) if taken else None
            self._compare(name, key, reader.items, wanted)

    def _compare(self, name: str, key: str, items: Mapping[Any, Item], wanted: Item | None) -> None:
        found = items.get((key,))
        if found != wanted:
            text = f"{name} {key} ends with {_short(found)}"
            self.fail("reader", f"{text}, and the table with {_short(wanted)}")

    def _rules_of_all(self, name: str) -> Rules | None:
        """The rules of an event type, if they are the same for all workers."""
        versions = [rules.get(name) for rules in self._scenario.versions]
        return versions[0] if versions[0] == versions[1] else None

    def _shown(self, name: str, record: Record | None) -> Item | None:
        """The item after a change as its event type shows it."""
        if record is None or record.item is None:
            return None
        showing = next(rules[name].showing for rules in self._scenario.versions if name in rules)
        attributes = record.item.attributes
        names: Iterable[str] = [each for each in attributes if each != TOUCH_ATTRIBUTE]
        if showing is Showing.PICKS:
            names = [each for each in PICKED if each in attributes]
        elif showing is Showing.HIDES:
            names = [each for each in names if each != HIDDEN]
        return {each: _plain(attributes[each]) for each in names}


class _Workers:
    """Which workers are of the version before."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rolls = scenario.streams.of("older").random() < OLDER_RUNS

    def __contains__(self, worker: str) -> bool:
        if not self._rolls or not worker:
            return False
        return self._scenario.streams.of("older", worker).random() < OLDER_WORKERS


def _by_event_type(readings: Iterable[Reading]) -> dict[str, list[_Line]]:
    found: dict[str, list[_Line]] = {}
    for each in readings:
        line = _Line(each.lands, each.body, reading=each)
        found.setdefault(each.event_type, []).append(line)
    return found


def _in_order(lines: list[_Line]) -> list[_Line]:
    return sorted(lines, key=lambda line: line.at)


def _without_stream(event: Event) -> Event:
    data = event["data"]
    change = {name: value for name, value in data["change"].items() if name != "stream"}
    return {**event, "data": {**data, "change": change}}


def _plain(value: AttributeValue) -> Any:
    """An attribute's value in the JSON of events."""
    match value:
        case {"N": str() as number}:
            return int(number)
        case {"M": dict() as members}:
            return {name: _plain(member) for name, member in members.items()}
        case _:
            return next(iter(value.values()))


def _short(item: Item | None) -> str:
    return "nothing" if item is None else str({**item, "fill": "…"})[:200]
