"""What is published of readings of the table beside a run: S, and D of what is not there.

Items are read at a time of the run by another process, whose clock differs by up to a second. The
service knows nothing of it; the events are those that its commands make.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from random import Random

from msgspec import Raw, json

from consumer.core.event.items.shapes import Shapes
from consumer.core.republish.item_event import Run
from consumer.core.republish.item_events import ItemEvents
from consumer.core.republish.table.read_item import ReadItem
from consumer.core.republish.taking_part import taking_part
from consumer.core.routes.route import Route
from consumer.core.stream.stream import Stream
from localdev.streams import names
from tests.simulation.checks.truth import Record, Truth, wall
from tests.simulation.scenario import Scenario

APART = 4.0
MOST_SKEW = 1.0
NEAR = (-2.0, 5.0)
LANDS_WITHIN = (1.0, 30.0)
ASKED_BEFORE = (0.0, 30.0)
"""Seconds, at most, between a reading and what follows, or comes before."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An event of a reading. `record` is the last change of its item before; all times are true."""

    event_type: str
    key: str
    body: bytes
    record: Record | None
    at: float
    lands: float
    twice: bool


class Readings:
    """Draws readings, and makes their events by the routes of a command."""

    def __init__(self, truth: Truth, scenario: Scenario, routes: Sequence[Route]) -> None:
        self._truth = truth
        self._scenario = scenario
        self._routes = routes
        self._shapes = Shapes()

    def meanwhile(self) -> Iterator[Reading]:
        """Some, shortly before changes or after them.

        A table that was deleted is empty, and no record says so: none of these is read.
        """
        chance = self._scenario.streams.of("readings")
        records = [*self._truth.records.values()]
        if self._scenario.has("drop") or not records:
            return
        for number in range(chance.choice((0, 1, 2))):
            at = max(wall(0.0), chance.choice(records).at + chance.uniform(*NEAR))
            twice = chance.random() < 0.5
            lands = chance.choice(LANDS_WITHIN) * chance.random()
            yield from self._read(f"meanwhile-{number}", at, lands, chance, twice=twice)

    def afterwards(self, name: str, at: float) -> Iterator[Reading]:
        """One of all items, twice, at a time (epoch seconds) when nothing happens any more."""
        chance = self._scenario.streams.of("readings", name)
        yield from self._read(name, at, 0.0, chance, twice=True)

    def asked_at(self, read_at: float, chance: Random) -> float:
        """When the label of the newest stream was asked for."""
        return read_at - chance.choice(ASKED_BEFORE) * chance.random()

    def _read(
        self, name: str, at: float, lands: float, chance: Random, *, twice: bool
    ) -> Iterator[Reading]:
        asked = self.asked_at(at, chance)
        skew = MOST_SKEW * chance.uniform(-1.0, 1.0)
        events = self._maker(name, asked)
        done = at + APART if twice else at
        for key, records in self._truth.by_key.items():
            record = _last(records, at)
            if twice and record is not _last(records, done):
                continue  # it is busy
            gone = record is None or record.item is None
            if gone and not twice:
                continue
            body = None if record is None or record.item is None else Raw(record.item.body)
            keys = Raw(json.encode({"id": {"S": key}}))
            item = ReadItem(keys, body, (at + done) / 2 + skew, twice)
            for made in events.made_of(item).events:
                yield Reading(
                    made.event_type,
                    key,
                    made.event.body,
                    record,
                    at,
                    max(asked, done) + lands,
                    twice,
                )

    def _maker(self, name: str, asked: float) -> ItemEvents:
        streams = sorted(self._truth.streams, key=lambda stream: stream.created_at)
        begun = [stream for stream in streams if stream.created_at <= asked] or streams[:1]
        stream = Stream(begun[-1].arn, begun[-1].table, begun[-1].label)
        run = Run(name, names.table_arn(stream.table), stream)
        event_types = [route.event_type for route in self._routes]
        participation = taking_part(self._routes, event_types, stream.arn)
        return ItemEvents(self._routes, participation, run, self._shapes)


def _last(records: Sequence[Record], at: float) -> Record | None:
    return next((record for record in reversed(records) if record.at <= at), None)
