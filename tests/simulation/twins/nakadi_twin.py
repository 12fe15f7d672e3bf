"""Nakadi as one worker reaches it: every kind of answer, and effects that come when they like.

The order of its checks and the matrix of a 422 are those of the service; which fault meets a
request is drawn from the seed.
"""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson

from consumer.core.publishing.answer import Answer, BatchItemResponse, PublishingStatus, no_answer
from consumer.core.publishing.partition import HashRule
from consumer.core.publishing.placement import Partitioning
from tests.simulation.checks.checkers import Checks
from tests.simulation.checks.truth import EventTruth
from tests.simulation.faults.wire import Fate, Weather, Wire
from tests.simulation.loop import SimLoop
from tests.simulation.trace import Trace

FAILED, SUBMITTED, ABORTED = (
    PublishingStatus.FAILED,
    PublishingStatus.SUBMITTED,
    PublishingStatus.ABORTED,
)
KNOWN = Partitioning(("id",), ("0", "1", "2", "3"))
RULE = HashRule.of(KNOWN.fields, KNOWN.names)


def partition_of(key: str) -> str:
    """Return the partition of the events of an item, by its key."""
    return RULE.partition(orjson.dumps({"data": {"id": key}})) or ""


OBJECTIONS = (400, 403, 502, 413, 0)
"""What a firewall says to requests that carry an event to which it objects; 0: it hangs up."""

MANY = 10_000  # bytes of a request that a narrow proxy refuses
WAKES_AFTER = 40.0  # seconds, at most, after which a frozen broker may still store


@dataclass
class Moods:
    """How often the service answers in a bad way, each in [0, 1). `door` is a status that all get.

    `partial`: 207 with a mixture; `refused`: 422 for a healthy event; `rejected`: 400 for all;
    `narrow`: 413 from MANY bytes on; `busy`: 429 or 503, which store nothing; `broken`: 500 or
    502, which may have stored; `short`: other items than events; `between`: a status that something
    in between gives to all; `down`: the partition whose events all fail.
    """

    partial: float = 0.0
    refused: float = 0.0
    rejected: float = 0.0
    busy: float = 0.0
    broken: float = 0.0
    narrow: bool = False
    short: float = 0.0
    door: int | None = None
    between: int | None = None
    down: str | None = None
    retry_after: float = 0.0


@dataclass
class NakadiService:
    """What all workers' twins share of one event type: who is poison, and how it is disposed."""

    event_type: str
    loop: SimLoop
    checks: Checks
    trace: Trace
    moods: Moods
    poison: dict[int, str] = field(
        default_factory=dict
    )  # sequence → "named", "unnamed" or "objected"
    faults: dict[str, int] = field(default_factory=dict)

    def note(self, fault: str) -> None:
        self.faults[fault] = self.faults.get(fault, 0) + 1


class SimNakadi:
    """Publisher of one worker. `limit` is the client's time-out in seconds.

    `look` is called with each request.
    """

    def __init__(
        self,
        service: NakadiService,
        wire: Wire,
        limit: float,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        self._service = service
        self._wire = wire
        self._limit = limit
        self._look = look

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        service, wire = self._service, self._wire
        if wire.node.muted:
            return await asyncio.Future()
        self._look()
        worker = wire.node.name
        events = service.checks.sending(worker, service.event_type, bodies)
        for event in events:
            shard = event.record.shard.id
            service.trace.add(service.loop.now, worker, "send", shard, _told(event))
        request = _Request(self, list(bodies), events)
        try:
            answer = await wire.call("publish", request.arrive, self._limit, _NoAnswerError)
        except _NoAnswerError as error:
            answer = no_answer(error.reason, "", None)
        except asyncio.CancelledError:
            service.checks.abandoned.add(worker)
            raise
        finally:
            request.waiting = False
            service.checks.ended(worker, service.event_type, events)
        service.trace.add(service.loop.now, worker, "answer", "", _answered(answer, events))
        if answer.status == 200 and answer.items is None:
            service.checks.ahead.answered(worker, events)
        return answer


class _NoAnswerError(Exception):
    def __init__(self, message: str, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


def _told(event: EventTruth) -> str:
    record = event.record
    of = "" if len(record.events) == 1 else f" {event.event_type}"
    return f"{record.key} {record.sequence}{of}"


def _answered(answer: Answer, events: Sequence[EventTruth]) -> str:
    if answer.items is None:
        return f"{answer.reason} to {len(events)}"
    told = (
        f"{event.record.key} {'unsaid' if item is None else item.status.value}"
        for event, item in zip(events, answer.items, strict=False)
    )
    return f"{answer.reason}: {', '.join(told)}"


class _Request:
    """One request on the server's side. `waiting`: its sender still wants the answer."""

    def __init__(self, twin: SimNakadi, bodies: list[bytes], events: list[EventTruth]) -> None:
        self._service = twin._service
        self._node = twin._wire.node
        self._chance = twin._wire.chance
        self._bodies = bodies
        self._records = [event.record for event in events]
        self._told = [_told(event) for event in events]
        self.waiting = True

    def arrive(self) -> Answer:
        """Check in the order of the service, store, answer."""
        moods, chance = self._service.moods, self._chance
        poison = self._service.poison
        if moods.between is not None:
            return self._foreign(moods.between)
        for record in self._records:
            if poison.get(record.sequence) == "objected":
                return self._foreign(OBJECTIONS[record.sequence % len(OBJECTIONS)])
        if moods.door is not None:
            return self._whole(moods.door)
        if moods.narrow and sum(map(len, self._bodies)) > MANY and len(self._bodies) > 1:
            return self._whole(413)
        if moods.busy and chance.random() < moods.busy:
            return self._whole(429 if chance.random() < 0.5 else 503, moods.retry_after)
        for record in self._records:
            if poison.get(record.sequence) == "unnamed":
                return self._whole((400, 422)[record.sequence % 2])
        if moods.rejected and chance.random() < moods.rejected:
            return self._whole(400)
        for index, record in enumerate(self._records):
            if poison.get(record.sequence) == "named":
                return self._invalid(index)
        if moods.refused and chance.random() < moods.refused:
            return self._invalid(int(chance.random() * len(self._bodies)))
        if moods.broken and chance.random() < moods.broken:
            if chance.random() < 0.5:
                self._store(range(len(self._bodies)))
            return self._whole(500 if chance.random() < 0.5 else 502)
        if moods.down is not None or (moods.partial and chance.random() < moods.partial):
            return self._mixed()
        if moods.short and chance.random() < moods.short:
            return self._short()
        self._store(range(len(self._bodies)))
        return Answer(200, None, None, None, "http_200", "")

    def _whole(self, status: int, retry_after: float = 0.0) -> Answer:
        self._service.note(f"nakadi:{status}")
        after = float(int(self._chance.random() * retry_after)) if retry_after else None
        return Answer(status, None, after, None, f"http_{status}", "")

    def _foreign(self, status: int) -> Answer:
        self._service.note(f"between:{status}")
        if not status:
            return no_answer("reset", "", None)
        return Answer(status, None, None, None, f"foreign_{status}", "", by_nakadi=False)

    def _short(self) -> Answer:
        """Items of some events, in any order; what says submitted is stored, as may be the rest.

        A 422 with the items of all is never without a stray one: about one event, that would be
        the real refusal of it, which is another mood.
        """
        chance = self._chance
        status = (200, 207, 422)[int(chance.random() * 3)]
        self._service.note(f"nakadi:{status} short")
        kept = [index for index in range(len(self._bodies)) if chance.random() < 0.7]
        chance.shuffle(kept)
        if status != 422:
            every = range(len(self._bodies))  # what is stored is stored in the order of the request
            self._store([index for index in every if index in kept or chance.random() < 0.5])
        said = ABORTED if status == 422 else SUBMITTED
        items = [
            BatchItemResponse(said, "publishing", "", self._partition(index), self._eid(index))
            for index in kept
        ]
        stray = chance.random() < 0.3
        if stray or (status == 422 and len(kept) == len(self._bodies)):
            items.append(BatchItemResponse(said, "publishing", "", None, "nobody"))
        return Answer(status, tuple(items) or (None,), None, None, f"http_{status}", "")

    def _eid(self, index: int) -> str:
        return str(orjson.loads(self._bodies[index])["metadata"]["eid"])

    def _invalid(self, bad: int) -> Answer:
        self._service.note("nakadi:422")
        steps = ["validating"] * (bad + 1) + ["none"] * (len(self._bodies) - bad - 1)
        statuses = [FAILED if i == bad else ABORTED for i in range(len(self._bodies))]
        return self._items(422, statuses, steps)

    def _mixed(self) -> Answer:
        self._service.note("nakadi:207")
        chance, down = self._chance, self._service.moods.down
        statuses = []
        for index in range(len(self._records)):
            if down is not None:
                statuses.append(FAILED if self._partition(index) == down else SUBMITTED)
            else:
                draw = chance.random()
                statuses.append(SUBMITTED if draw < 0.5 else FAILED if draw < 0.85 else ABORTED)
        self._store(index for index, status in enumerate(statuses) if status is SUBMITTED)
        for index, status in enumerate(statuses):
            draw = chance.random()
            if status is not SUBMITTED and draw < 0.3:  # some were written, or will be
                self._service.loop.later(draw * WAKES_AFTER, self._store_late, index)
        return self._items(207, statuses, ["publishing"] * len(statuses))

    def _items(self, status: int, statuses: list[PublishingStatus], steps: list[str]) -> Answer:
        items = tuple(
            BatchItemResponse(*told, "", self._partition(index))
            for index, told in enumerate(zip(statuses, steps, strict=True))
        )
        return Answer(status, items, None, None, f"http_{status}", "")

    def _partition(self, index: int) -> str:
        return RULE.partition(self._bodies[index]) or ""

    def _store(self, indexes: Iterable[int]) -> None:
        for index in indexes:
            self._put(index, late=not self.waiting or self._node.crashed)

    def _store_late(self, index: int) -> None:
        self._put(index, late=True)

    def _put(self, index: int, *, late: bool) -> None:
        record = self._records[index]
        name = "stored late" if late else "stored"
        self._service.trace.add(
            self._service.loop.now, self._node.name, name, record.shard.id, self._told[index]
        )
        self._service.checks.stored(self._node.name, self._bodies[index], late=late)


def weather_of_nakadi(*, slow: float, bad: float, late_by: float) -> Weather:
    """Time-outs before and after the effect, resets, and effects that come late."""
    mix = (Fate.LOST_BEFORE, Fate.LOST_AFTER, Fate.RESET_BEFORE, Fate.RESET_AFTER, Fate.LATE)
    return Weather(0.004, 0.04, slow, 3.0, bad, mix, late_by)
