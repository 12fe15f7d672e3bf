"""What a reader ends with: each log of a run is read by the reference reader.

`reader`: of each item it must end with the last change that the event type has, as it is shown. For
a view, and where every change passes, that is the table's state. Not so far come changes that are
nowhere in the log: letters that nobody redrives, and what an operator or a gap skips.

Each log is read three times: as it is, with each letter redriven at once, and with each redriven as
late as it can be. In some runs, some of the workers are of the version before: their events do not
name their stream.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from localdev.streams.model.attribute import AttributeValue
from tests.reference.reader import Event, Item, Reader
from tests.simulation.checks.narrowing import HIDDEN, PICKED, Narrowing, Rules, Showing
from tests.simulation.checks.truth import EventTruth, Record, Truth
from tests.simulation.loop import SimLoop
from tests.simulation.scenario import Scenario

LETTERS_LIVE = 14 * 24 * 3600.0
OLDER_RUNS, OLDER_WORKERS = 0.5, 0.5
"""How many runs have workers of the version before, and how many of their workers are."""


@dataclass(frozen=True, slots=True)
class _Line:
    """An event in the log at a loop time."""

    at: float
    worker: str
    truth: EventTruth
    body: bytes


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
        line = _Line(self._loop.now, worker, event, body)
        self._logs.setdefault(event.event_type, []).append(line)

    def lettered(self, worker: str, event: EventTruth, body: bytes) -> None:
        """The dead letter queue has one."""
        line = _Line(self._loop.now, worker, event, body)
        self._letters.setdefault(event.event_type, []).append(line)

    def judge(self) -> None:
        """Read all logs."""
        for name in self._logs.keys() | self._letters.keys():
            log, letters = self._logs.get(name, []), self._letters.get(name, [])
            self._judge(name, log)
            if letters:
                self._judge(name, _in_order([*log, *letters]))
                late = [_Line(e.at + LETTERS_LIVE, e.worker, e.truth, e.body) for e in letters]
                self._judge(name, _in_order([*log, *late]))

    def _judge(self, name: str, log: list[_Line]) -> None:
        reader = Reader(("id",))
        last: dict[str, EventTruth] = {}
        body_of: dict[str, Event] = {}
        for line, event in self._read(log):
            reader.forget(line.at)
            reader.take(event, line.at)
            key, before = line.truth.record.key, last.get(line.truth.record.key)
            if before is None or before.record.place <= line.truth.record.place:
                last[key], body_of[key] = line.truth, event
        for key, truth in last.items():
            gone = body_of[key]["data_op"] == "D"
            wanted = None if gone else self._shown(name, truth.record)
            found = reader.items.get((key,))
            if found != wanted:
                text = f"{name} {key} ends with {_short(found)}, not {_short(wanted)}"
                self.fail("reader", f"{text} of {truth.record.sequence}")
        self._judge_states(name, last, reader.items)

    def _read(self, log: list[_Line]) -> Iterator[tuple[_Line, Event]]:
        """The events as readers get them: an older version's without their stream.

        Such a version reads no stream but the first; else a reader has nothing to order them by.
        """
        first = log[0].truth.record.shard.stream if log else None
        named = next((line for line in log if line.worker not in self._older), None)
        rolls = named is not None and named.truth.record.shard.stream is first
        for line in log:
            event = self._events.get(line.body)
            if event is None:
                event = self._events[line.body] = orjson.loads(line.body)
            of_first = line.truth.record.shard.stream is first
            older = rolls and of_first and line.worker in self._older
            yield line, _without_stream(event) if older else event

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
        for key, records in self._by_key.items():
            told = [record for record in records if name in record.events]
            missing = told[-1:] != [last[key].record] if key in last else bool(told)
            if missing:
                continue
            state = records[-1]
            passes = rules.narrowing is Narrowing.NONE or state.kinds[1] == "A"
            wanted = self._shown(name, state) if passes else None
            found = items.get((key,))
            if found != wanted:
                text = f"{name} {key} ends with {_short(found)}"
                self.fail("reader", f"{text}, and the table with {_short(wanted)}")

    def _rules_of_all(self, name: str) -> Rules | None:
        """The rules of an event type, if they are the same for all workers."""
        versions = [rules.get(name) for rules in self._scenario.versions]
        return versions[0] if versions[0] == versions[1] else None

    @cached_property
    def _by_key(self) -> dict[str, list[Record]]:
        """All changes of each item, in their order."""
        found: dict[str, list[Record]] = {}
        for record in sorted(self._truth.records.values(), key=lambda record: record.place):
            found.setdefault(record.key, []).append(record)
        return found

    def _shown(self, name: str, record: Record) -> Item | None:
        """The item after a change as its event type shows it."""
        if record.item is None:
            return None
        showing = next(rules[name].showing for rules in self._scenario.versions if name in rules)
        attributes = record.item.attributes
        names: Iterable[str] = attributes
        if showing is Showing.PICKS:
            names = [each for each in PICKED if each in attributes]
        elif showing is Showing.HIDES:
            names = [each for each in attributes if each != HIDDEN]
        return {each: _plain(attributes[each]) for each in names}


class _Workers:
    """Which workers are of the version before."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._rolls = scenario.streams.of("older").random() < OLDER_RUNS

    def __contains__(self, worker: str) -> bool:
        draws = self._scenario.streams.of("older", worker)
        return self._rolls and draws.random() < OLDER_WORKERS


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
