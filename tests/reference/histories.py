"""Random lives of one item: its changes in the table, and the log of events that readers get.

Hard ones: events come twice, late, out of dead letters, from streams that number anew, from workers
of a version that names no stream, beside readings of the table; and some are lost.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from random import Random
from typing import Any

from tests.reference.reader import Item, Reader

DAY = 24 * 3600.0
START = 1_790_000_000.0
LETTER_SECONDS = 14 * DAY
BETWEEN_READS = 4.0
MOST_SKEW = 1.0
NO_SEQUENCE = "0" * 40
KEY = ("o-1",)
SNAPSHOT = "all-of-it"
STEPS = (0.01, 0.4, 0.9, 3.0, 20.0, 3600.0)
"""Seconds between changes, about."""


@dataclass(frozen=True)
class Stream:
    """A stream of the table. `first` is its first sequence number."""

    label: str
    begins: float
    first: int


@dataclass(frozen=True)
class Change:
    """A change of the item; `item` None: it is deleted."""

    stream: Stream
    sequence: int
    at: float
    item: Item | None
    event: dict[str, Any]


@dataclass
class Life:
    """One history. `log` holds events with the time at which each can be read.

    `begins`: the reader reads from there on. `sweeps`: a snapshot began and ended then, by its own
    clock and by the log.
    """

    changes: list[Change] = field(default_factory=list)
    log: list[tuple[float, dict[str, Any]]] = field(default_factory=list)
    begins: float = 0.0
    sweeps: tuple[float, float] | None = None

    @property
    def item(self) -> Item | None:
        """What the table holds in the end."""
        return self.changes[-1].item

    def at(self, time: float) -> Item | None:
        """What the table held at a time."""
        return next((change.item for change in reversed(self.changes) if change.at <= time), None)

    def read_by(self, reader: Reader) -> Item | None:
        """What a reader holds in the end."""
        swept = self.sweeps is None
        for now, event in sorted(self.log, key=lambda line: line[0]):
            if self.sweeps is not None and not swept and now > self.sweeps[1]:
                reader.sweep(SNAPSHOT, self.sweeps[0], now)
                swept = True
            if now >= self.begins:
                reader.forget(now)
                reader.take(event, now)
        if self.sweeps is not None and not swept:
            reader.sweep(SNAPSHOT, *self.sweeps)
        return reader.items.get(KEY)


def stamp(time: float) -> str:
    """Return a time as events have it."""
    return datetime.fromtimestamp(time, UTC).isoformat(timespec="milliseconds")


@dataclass
class Weaver:
    """Makes histories. `labelled_late` and `unnumbered` are faults of whoever reads the table.

    The first asks for the stream's label after it has read; the second leaves the sequence out.
    Times of changes are cut to whole multiples of `cut` seconds.
    """

    chance: Random
    cut: int = 1
    labelled_late: bool = False
    unnumbered: bool = False

    def ordinary(self) -> Life:
        """Nothing is lost. The reader reads from the beginning."""
        life = self._life()
        self._publish(life, lost=range(0))
        for _ in range(self.chance.choice((0, 0, 1, 2))):
            self._read_table(life, self._time(life), twice=self.chance.random() < 0.5)
        return life

    def late(self) -> Life:
        """The reader begins somewhere; then a snapshot is made for it, and more is read."""
        life = self._life()
        life.begins = self._time(life)
        self._publish(life, lost=range(0))
        for _ in range(self.chance.choice((1, 1, 2))):
            begun = life.begins + self.chance.choice((0.0, 1.0, 4000.0)) * self.chance.random()
            self._read_table(life, begun, twice=False, since=life.begins)
        if self.chance.random() < 0.3:
            begun = max(life.begins, self._time(life))
            self._read_table(life, begun, twice=True, since=life.begins)
        return life

    def repaired(self) -> Life:
        """Changes are lost, and what the table holds is published after them."""
        life = self._life()
        lost = self._lost(life)
        self._publish(life, lost)
        known = life.changes[lost.stop - 1].at + BETWEEN_READS + self.cut
        for _ in range(self.chance.choice((0, 1, 2))):
            self._read_table(life, self._time(life), twice=self.chance.random() < 0.7)
        steady = [change.at + self.cut for change in life.changes[lost.stop :]]
        for begun in (known, *steady):
            if self._read_table(life, begun + self.chance.random(), twice=True):
                return life
        self._read_table(life, life.changes[-1].at + BETWEEN_READS + self.cut, twice=True)
        return life

    def swept(self) -> Life:
        """Changes are lost, and a snapshot with readings made twice shows what is there."""
        life = self._life()
        lost = self._lost(life)
        self._publish(life, lost)
        start = life.changes[-1].at + 5.0 * self.chance.random() + 2.5
        read = start + self.chance.choice((0.0, 2.0, 600.0)) * self.chance.random()
        skew = self._skew()
        self._read_table(life, read, twice=True, snapshot=SNAPSHOT, skew=skew)
        life.sweeps = (start + skew, max((now for now, _ in life.log), default=read) + 30.0)
        return life

    def swept_meanwhile(self) -> Life:
        """Nothing is lost, and the item changes while a snapshot is made."""
        life = self._life()
        self._publish(life, lost=range(0))
        start = self._time(life)
        read = start + self.chance.choice((0.0, 2.0, 600.0)) * self.chance.random()
        skew = self._skew()
        self._read_table(life, read, twice=False, snapshot=SNAPSHOT, skew=skew)
        life.sweeps = (start + skew, read + 700.0)
        return life

    # -- the table

    def _life(self) -> Life:
        chance, life = self.chance, Life()
        at, item = START, None
        stream = self._stream(at)
        sequence = stream.first
        self.first = stream
        for number in range(1, chance.randint(2, 8)):
            at += chance.choice(STEPS) * (0.5 + chance.random())
            if chance.random() < 0.2:
                stream = self._stream(at)
                sequence = stream.first
                at += chance.random()
            sequence += chance.randint(1, 9)
            before, item = item, self._next(life, number)
            event = _event(stream, sequence, at // self.cut * self.cut, before, item)
            life.changes.append(Change(stream, sequence, at, item, event))
        self.upgrade = self._upgrade(life)
        return life

    def _stream(self, at: float) -> Stream:
        """A new stream. Its numbers may be lower than those of the one before."""
        return Stream(stamp(at), at, self.chance.choice((1, 40, 900)))

    def _next(self, life: Life, number: int) -> Item | None:
        """Each change sets one of two attributes, or the item comes or goes, or is as it was."""
        past = [None, *(change.item for change in life.changes)]
        item = past[-1]
        if self.chance.random() < 0.2 and past[-2:-1] not in ([], [item]):
            return past[-2]
        if item is not None and self.chance.random() < 0.3:
            return None
        old: Item = {"id": KEY[0], "a": 0, "b": 0} if item is None else item
        return {**old, self.chance.choice("ab"): number}

    def _time(self, life: Life) -> float:
        """Some time of the history, mostly close to a change."""
        chance = self.chance
        near = chance.choice(life.changes).at
        return near + chance.choice((0.5, 5.0, 600.0)) * (2 * chance.random() - 1)

    def _lost(self, life: Life) -> range:
        first = self.chance.randrange(len(life.changes))
        return range(first, self.chance.randint(first + 1, len(life.changes)))

    def _skew(self) -> float:
        return MOST_SKEW * (2 * self.chance.random() - 1)

    # -- the service

    def _upgrade(self, life: Life) -> list[float]:
        """Times at which workers of this version, and of the one before, take over in turn.

        Who rolls back reads no other stream than that of the upgrade.
        """
        chance = self.chance
        if chance.random() < 0.5:
            return []
        others = [change.stream.begins for change in life.changes if change.stream != self.first]
        until = min(others, default=life.changes[-1].at + 60.0)
        times = sorted(START + (until - START) * chance.random() for _ in range(3))
        return times[: chance.choice((1, 3) if others else (1, 2, 3))]

    def _as_sent(self, change: Change, at: float) -> dict[str, Any]:
        """The event of a change as the version makes it that runs at a time."""
        event = change.event
        older = bool(self.upgrade) and sum(time <= at for time in self.upgrade) % 2 == 0
        if change.stream != self.first or not older:
            return event
        told = {name: value for name, value in event["data"]["change"].items() if name != "stream"}
        return {**event, "data": {**event["data"], "change": told}}

    def _publish(self, life: Life, lost: range) -> None:
        """Publish in order; parts come again, single events late or out of a dead letter."""
        chance = self.chance
        now = START
        for upgrade in self.upgrade[::2]:  # events of other keys show the label at once
            other = _event(self.first, 1, START, None, {"id": "another", "a": 1, "b": 1})
            life.log.append((upgrade, other))
        sent: list[int] = []
        for number, change in enumerate(life.changes):
            if number in lost:
                continue
            now = max(now, change.at) + chance.choice((0.1, 0.1, 30.0)) * chance.random()
            self._send(life, change, now)
            sent.append(number)
            while chance.random() < 0.15:  # a crash, or a seek
                for again in sent[chance.randrange(len(sent)) :]:
                    now += 0.1 * chance.random()
                    self._send(life, life.changes[again], now)

    def _send(self, life: Life, change: Change, now: float) -> None:
        chance, event = self.chance, self._as_sent(change, now)
        superseded = change.at < life.begins  # nothing shows a new reader how old this is
        if chance.random() < 0.1 and not superseded:
            letter_at = now + LETTER_SECONDS * chance.choice((chance.random(), 0.01, 1.0))
            life.log.append((letter_at, event))
            return
        life.log.append((now, event))
        if chance.random() < 0.1 and not superseded:
            life.log.append((now + 60.0 * chance.random(), event))

    # -- the commands

    def _read_table(
        self,
        life: Life,
        at: float,
        *,
        twice: bool,
        since: float = START,
        snapshot: str = "some",
        skew: float | None = None,
    ) -> bool:
        """Read the item and publish what is there; read twice, also that nothing is.

        The label is asked for at some time before, but not before `since`. Return whether an event
        was published.
        """
        chance = self.chance
        asked = max(since, at - chance.choice((0.1, 4000.0)) * chance.random())
        if self.labelled_late:
            asked = at + chance.choice((0.1, 4000.0)) * chance.random()
        item, done = life.at(at), at
        if twice:
            done = at + BETWEEN_READS
            if life.at(done) != item:
                return False
        if item is None and (not twice or snapshot == SNAPSHOT):
            return False
        skew = self._skew() if skew is None else skew
        read_at = (at + done) / 2 + skew
        streams = {c.stream.begins: c.stream for c in life.changes} | {START: self.first}
        stream = streams[max(begins for begins in streams if begins <= max(asked, START))]
        told = {"stream": stream.label, "sequence": NO_SEQUENCE, "snapshot": snapshot}
        if self.unnumbered:
            del told["sequence"]
        if twice:
            told["read_at"] = stamp(read_at)
        shown = {"id": KEY[0]} if item is None else item
        event = _wrap("D" if item is None else "S", read_at, {**shown, "change": told})
        life.log.append((max(asked, done) + chance.choice((1.0, 600.0)) * chance.random(), event))
        return True


def _event(
    stream: Stream, sequence: int, at: float, before: Item | None, item: Item | None
) -> dict[str, Any]:
    """The event of a change."""
    told = {"stream": stream.label, "sequence": f"{sequence:040}"}
    operation = "D" if item is None else "C" if before is None else "U"
    data: dict[str, Any] = {**(item or before or {}), "change": told}
    if operation == "U":
        data["patch"] = _patch(before or {}, item or {})
    return _wrap(operation, at, data)


def _patch(before: Item, item: Item) -> list[dict[str, Any]]:
    return [
        {"op": "replace", "path": f"/{name}", "value": value}
        for name, value in item.items()
        if before[name] != value
    ]


def _wrap(operation: str, at: float, data: dict[str, Any]) -> dict[str, Any]:
    return {"metadata": {"occurred_at": stamp(at)}, "data_op": operation, "data": data}


def wrong(
    make: Callable[[Weaver], Life],
    reader: Callable[[], Reader],
    lives: int,
    weaver: Callable[[Random], Weaver] = Weaver,
) -> list[int]:
    """The seeds of histories after which a reader holds something else than the table."""
    found = []
    for seed in range(lives):
        life = make(weaver(Random(seed)))
        if life.read_by(reader()) != life.item:
            found.append(seed)
    return found
