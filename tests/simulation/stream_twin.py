"""DynamoDB Streams as one worker reaches it: the model, with listings that lie for a while."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from consumer.core.page import Page, decode_page
from consumer.core.stream import (
    AfterSequence,
    AtLatest,
    AtTrimHorizon,
    Position,
    Shard,
    Stream,
    StreamPage,
    ViewType,
)
from consumer.errors import ExpiredIterator, Retryable, ShardNotFound, TrimmedData
from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.iterator import IteratorType
from localdev.streams.model import StreamsModel
from tests.simulation.chance import Streams
from tests.simulation.loop import SimLoop
from tests.simulation.trace import Trace
from tests.simulation.truth import ShardTruth, Truth, wall
from tests.simulation.wire import Wire

T = TypeVar("T")

EMPTIES = 2
"""Pages in a row that are empty for no reason; the consumer takes three for the tip."""

LIMIT = 10.0
"""Seconds after which the client gives a request up."""


@dataclass
class Lies:
    """How far the listing is behind, in seconds.

    `lag`: of one call, at most (so it may go backwards). `hidden`: until a shard is listed,
    `open_still`: until it is listed as closed, both at most and drawn for each shard. `page`:
    shards on a page. `empty_pages`: how many pages of records are empty for no reason.
    """

    lag: float = 0.0
    hidden: float = 0.0
    open_still: float = 0.0
    children_hidden: float = 0.0
    page: int = 100
    empty_pages: float = 0.0
    not_found: float = 0.0


@dataclass
class StreamService:
    """What all workers' twins share."""

    loop: SimLoop
    model: StreamsModel
    truth: Truth
    lies: Lies
    chance: Streams
    trace: Trace
    page_records: int = 1000
    first_shards: set[str] = field(default_factory=set)

    def listed(self, arn: str, lag: float) -> list[Shard]:
        """The listing as it was `lag` seconds ago, by shard id. Raises ServiceError."""
        stream = self.model.stream(arn)
        now = self.loop.now - lag
        shards = (self.truth.shards[shard.shard_id] for shard in stream.listed())
        return [self._described(shard, now) for shard in shards if self._is_listed(shard, now)]

    def settles_after(self, shard: ShardTruth) -> float:
        """The loop time from which every listing shows the shard."""
        return shard.born_at + self._draw(shard, "hidden", self.lies.hidden) + self.lies.lag

    def _is_listed(self, shard: ShardTruth, now: float) -> bool:
        if shard.id in self.first_shards:
            return True
        return shard.born_at + self._draw(shard, "hidden", self.lies.hidden) <= now

    def _described(self, shard: ShardTruth, now: float) -> Shard:
        model = shard.shard
        closed_at = model.closed_at
        shown = closed_at is not None and (
            closed_at - wall(0) + self._draw(shard, "open", self.lies.open_still) <= now
        )
        return Shard(model.shard_id, model.parent, model.ending if shown else None)

    def _draw(self, shard: ShardTruth, what: str, most: float) -> float:
        return self.chance.of(what, shard.id).random() * most if most else 0.0


class SimStreams:
    """StreamClient of one worker. `asked` is called before each GetRecords leaves."""

    def __init__(self, service: StreamService, wire: Wire, asked: Callable[[], None]) -> None:
        self._service = service
        self._wire = wire
        self._asked = asked
        self._empties: dict[str, int] = {}  # in a row

    async def _call(self, name: str, effect: Callable[[], T]) -> T:
        def act() -> T:
            try:
                return effect()
            except ServiceError as error:
                raise _translated(error) from None

        return await self._wire.call(name, act, LIMIT)

    def _lag(self) -> float:
        return self._chance.random() * self._service.lies.lag

    @property
    def _chance(self) -> Random:
        return self._wire.chance

    async def latest_stream(self, table: str) -> Stream | None:
        def effect() -> Stream | None:
            stream = self._service.model.table(table).stream
            return None if stream is None else Stream(stream.arn, stream.table, stream.label)

        return await self._call("latest_stream", effect)

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        service, lag = self._service, self._lag()

        def effect() -> StreamPage:
            shards = service.listed(stream.arn, lag)
            rest = [s for s in shards if after_shard is None or s.shard_id > after_shard]
            page = tuple(rest[: service.lies.page])
            last = page[-1].shard_id if len(rest) >= service.lies.page else None
            enabled = service.model.stream(stream.arn).enabled
            view = ViewType.NEW_AND_OLD_IMAGES
            return StreamPage(stream, enabled, view, ("id",), page, last, self._date())

        return await self._call("describe_stream", effect)

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        service, lag = self._service, self._lag()

        def effect() -> tuple[Shard, ...]:
            shards = service.listed(stream.arn, lag)
            closed_at = service.model.stream(stream.arn).shard(shard_id).closed_at
            if (
                closed_at is None
                or wall(service.loop.now) < closed_at + service.lies.children_hidden
            ):
                return ()
            return tuple(shard for shard in shards if shard.parent_shard_id == shard_id)

        return await self._call("child_shards", effect)

    async def shard_iterator(
        self, stream: Stream, shard_id: str, position: Position
    ) -> tuple[str, float]:
        service = self._service
        match position:
            case AtTrimHorizon():
                kind, sequence = IteratorType.TRIM_HORIZON, None
            case AtLatest():
                kind, sequence = IteratorType.LATEST, None
            case AfterSequence(number):
                kind, sequence = IteratorType.AFTER_SEQUENCE_NUMBER, number

        def effect() -> tuple[str, float]:
            now = wall(service.loop.now)
            iterator = service.model.get_shard_iterator(stream.arn, shard_id, kind, now, sequence)
            return iterator, self._date()

        answer = await self._call("shard_iterator", effect)
        service.trace.add(
            service.loop.now, self._wire.node.name, "opened", shard_id, f"{kind} {sequence or ''}"
        )
        return answer

    async def get_records(self, iterator: str) -> Page:
        service = self._service
        self._asked()
        shard = service.truth.shards[service.model.shard_of(iterator)]
        empty = bool(service.lies.empty_pages) and self._chance.random() < service.lies.empty_pages
        empty = empty and self._empties.get(shard.id, 0) < EMPTIES
        self._empties[shard.id] = self._empties.get(shard.id, 0) + 1 if empty else 0
        lie = bool(service.lies.not_found) and self._chance.random() < service.lies.not_found

        def effect() -> bytes:
            if lie and service.loop.now > service.settles_after(shard):
                raise ShardNotFound(shard.id)
            page = service.model.get_records(
                iterator, wall(service.loop.now), service.page_records, empty=empty
            )
            following = b"}"
            if page.next_iterator is not None:
                following = b',"NextShardIterator":"%b"}' % page.next_iterator.encode()
            return b'{"Records":[' + b",".join(page.records) + b"]" + following

        page = decode_page(await self._call("get_records", effect))
        if page.records or page.next_iterator is None:
            end = "" if page.next_iterator else " and the end"
            text = f"{len(page.records)} records{end}"
            service.trace.add(service.loop.now, self._wire.node.name, "read", shard.id, text)
        return page

    def _date(self) -> float:
        return float(int(wall(self._service.loop.now)))


def _translated(error: ServiceError) -> Exception:
    match error.code:
        case ErrorCode.EXPIRED_ITERATOR:
            return ExpiredIterator(error.message)
        case ErrorCode.TRIMMED_DATA_ACCESS:
            return TrimmedData(error.message)
        case ErrorCode.RESOURCE_NOT_FOUND:
            return ShardNotFound(error.message)
        case _:
            return Retryable(error.message, "refused")
