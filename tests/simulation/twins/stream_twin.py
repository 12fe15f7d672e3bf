"""DynamoDB Streams as one worker reaches it: the model, with its lies, at the end of a wire."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import TypeVar

from consumer.core.stream.page import Page, decode_page
from consumer.core.stream.stream import (
    AfterSequence,
    AtLatest,
    AtTrimHorizon,
    Position,
    Shard,
    Stream,
    StreamPage,
    ViewType,
)
from consumer.errors import (
    INVALID_ITERATOR,
    ExpiredIterator,
    Retryable,
    ShardNotFound,
    TableNotFound,
    TrimmedData,
)
from localdev.streams.errors import ErrorCode, ServiceError, invalid
from localdev.streams.model.iterator import IteratorType
from localdev.streams.model.shard import Shard as ModelShard
from localdev.streams.model.streams_model import ShardPage, StreamsModel
from tests.simulation.checks.checkers import Checks
from tests.simulation.checks.memory import Memory
from tests.simulation.checks.truth import ShardTruth, Truth, wall
from tests.simulation.faults.wire import Wire
from tests.simulation.loop import SimLoop
from tests.simulation.trace import Trace

T = TypeVar("T")

EMPTIES = 2
"""Pages in a row that are empty for no reason; the consumer takes three for the tip."""

REFUSALS = 3
"""An iterator that is refused this often in a row is clung to. (A reader that starts again may try
the stored one again.)"""

YOUNG_SECONDS, YOUNG_FACTOR = 15.0, 10.0
"""A shard is said not to exist that much more often while it is so young."""

DENIALS, DENIAL_SECONDS = 0.2, 25.0
"""So many of these answers begin a time, of up to so many seconds, in which all calls say so.

It is shorter than a service has to doubt.
"""

LIMIT = 10.0
"""Seconds after which the client gives a request up."""


@dataclass
class StreamService:
    """What all workers' twins share. Listings lie as the model's options say.

    `empty_pages`: how many pages of records are empty for no reason; `not_found`: how many say that
    a shard does not exist, which is there; `denied_until`: when calls stop to say so of all streams
    and shards; `no_latest`: a fresh LATEST iterator is refused as trimmed; `spoilt`: how many
    iterators are no more taken for one, at first or later, and then for good; `long_pages`: the
    bytes by which pages with records may be longer.
    """

    loop: SimLoop
    model: StreamsModel
    truth: Truth
    trace: Trace
    checks: Checks
    page_records: int = 1000
    empty_pages: float = 0.0
    not_found: float = 0.0
    denied_until: float = 0.0
    no_latest: bool = False
    spoilt: float = 0.0
    long_pages: tuple[int, ...] = ()

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return wall(self.loop.now)

    @property
    def denies(self) -> bool:
        """Whether it says of all streams that they do not exist."""
        return self.loop.now < self.denied_until

    def deny(self, seconds: float) -> None:
        """Say so for a while, unless that was said lately."""
        if self.loop.now > self.denied_until + DENIAL_SECONDS:
            self.denied_until = self.loop.now + seconds


class SimStreams:
    """StreamClient of one worker."""

    def __init__(self, service: StreamService, wire: Wire, memory: Memory) -> None:
        self._service = service
        self._wire = wire
        self._memory = memory
        self._empties: dict[str, int] = {}  # in a row
        self._refused: dict[str, Counter[tuple[str, int]]] = {}  # see `_note_refusal`
        self._anew: set[str] = set()  # iterators at the oldest record that nobody has read with yet

    async def _call(self, name: str, effect: Callable[[], T]) -> T:
        def act() -> T:
            if self._service.denies and name != "latest_stream":
                raise ShardNotFound(name)
            try:
                return effect()
            except ServiceError as error:
                raise _translated(name, error) from None

        return await self._wire.call(name, act, LIMIT)

    @property
    def _chance(self) -> Random:
        return self._wire.chance

    async def latest_stream(self, table: str) -> Stream | None:
        def effect() -> Stream | None:
            found = self._service.model.tables.get(table)
            if found is None:
                raise TableNotFound(f"no table {table!r}")
            stream = found.stream
            return None if stream is None else Stream(stream.arn, stream.table, stream.label)

        return await self._call("latest_stream", effect)

    async def describe_stream(self, stream: Stream, after_shard: str | None) -> StreamPage:
        service = self._service
        if not self._wire.node.muted:
            service.checks.limits.listing(self._wire.node)

        def effect() -> StreamPage:
            found = service.model.describe_stream(stream.arn, after_shard, now=service.now)
            model = service.model.stream(stream.arn)
            return StreamPage(
                stream=stream,
                enabled=model.enabled,
                view_type=ViewType(model.view_type.value),
                key_attributes=model.key_schema.names,
                shards=tuple(map(_shard, found.shards)),
                last_evaluated=found.last_evaluated,
                answered_at=float(int(service.now)),
            )

        return await self._call("describe_stream", effect)

    async def child_shards(self, stream: Stream, shard_id: str) -> Sequence[Shard]:
        service = self._service
        found: list[Shard] = []
        after: str | None = None
        while True:

            def effect(after: str | None = after) -> ShardPage:
                return service.model.child_shards(stream.arn, shard_id, service.now, after)

            page = await self._call("child_shards", effect)
            shards = map(_shard, page.shards)  # all there are, if the filter is ignored
            found.extend(shard for shard in shards if shard.parent_shard_id == shard_id)
            after = page.last_evaluated
            if after is None:
                return found

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
            now = service.now
            if kind is IteratorType.LATEST and service.no_latest:
                raise TrimmedData(shard_id)
            iterator = service.model.get_shard_iterator(stream.arn, shard_id, kind, now, sequence)
            if kind is IteratorType.TRIM_HORIZON:
                self._anew.add(iterator)
            return iterator, float(int(now))

        answer = await self._call("shard_iterator", effect)
        service.trace.add(
            service.loop.now, self._wire.node.name, "opened", shard_id, f"{kind} {sequence or ''}"
        )
        return answer

    async def get_records(self, iterator: str) -> Page:
        service = self._service
        shard = service.truth.shards[service.model.shard_of(iterator)]
        empty = bool(service.empty_pages) and self._chance.random() < service.empty_pages
        empty = empty and self._empties.get(shard.id, 0) < EMPTIES
        young = service.now < shard.shard.created_at + YOUNG_SECONDS
        not_found = service.not_found * (YOUNG_FACTOR if young else 1.0)
        doubt = self._chance.random() / not_found if not_found else 1.0
        lie = doubt < 1.0
        if service.spoilt and self._chance.random() < service.spoilt:
            service.truth.spoilt.add(iterator)

        def effect() -> bytes:
            if lie:
                if doubt < DENIALS:
                    service.deny(DENIAL_SECONDS * doubt / DENIALS)
                raise ShardNotFound(shard.id)
            if iterator in service.truth.spoilt:
                raise invalid("Invalid ShardIterator")
            self._note_opening(iterator, shard)
            page = service.model.get_records(
                iterator, service.now, service.page_records, empty=empty
            )
            following = b"}"
            if page.next_iterator is not None:
                following = b',"NextShardIterator":"%b"}' % page.next_iterator.encode()
            longer = b""
            if service.long_pages and page.records:
                longer = b" " * self._chance.choice(service.long_pages)
            return b'{"Records":[' + longer + b",".join(page.records) + b"]" + following

        counted = service.checks.calls.reading(self._wire.node.name, shard.id)
        with self._memory.asking(shard), counted:
            try:
                page = decode_page(await self._call("get_records", effect))
            except ExpiredIterator as error:
                if error.reason == INVALID_ITERATOR:
                    self._note_refusal(iterator, shard)
                raise
        self._refused.pop(shard.id, None)
        self._memory.has_read(shard, page)
        # Only what has arrived counts: of empty pages three in a row are the tip.
        self._empties[shard.id] = self._empties.get(shard.id, 0) + 1 if empty else 0
        if page.records or page.next_iterator is None:
            end = "" if page.next_iterator else " and the end"
            text = f"{len(page.records)} records{end}"
            service.trace.add(service.loop.now, self._wire.node.name, "read", shard.id, text)
        return page

    def _note_refusal(self, iterator: str, shard: ShardTruth) -> None:
        """Count how often in a row an iterator is refused. Each owner may try that of the row."""
        refused = self._refused.setdefault(shard.id, Counter())
        tried = iterator, self._service.truth.lease_counter(shard)
        refused[tried] += 1
        if refused[tried] == REFUSALS:
            text = f"{self._wire.node.name} clings to a refused iterator of {shard.id}"
            self._service.checks.fail("iterator", text)

    def _note_opening(self, iterator: str, shard: ShardTruth) -> None:
        service = self._service
        if iterator in self._anew:
            self._anew.discard(iterator)
            if not service.truth.note_opening(shard.id, service.now):
                service.checks.fail("start", f"{shard.id} is read anew while its iterator lives")


def _shard(shard: ModelShard) -> Shard:
    return Shard(shard.shard_id, shard.parent, shard.ending)


def _translated(name: str, error: ServiceError) -> Exception:
    match error.code:
        case ErrorCode.EXPIRED_ITERATOR:
            return ExpiredIterator(error.message)
        case ErrorCode.VALIDATION if name == "get_records":
            return ExpiredIterator(error.message, INVALID_ITERATOR)
        case ErrorCode.TRIMMED_DATA_ACCESS:
            return TrimmedData(error.message)
        case ErrorCode.RESOURCE_NOT_FOUND:
            return ShardNotFound(error.message)
        case _:
            return Retryable(error.message, "refused")
