"""What the commands that publish items again have in common: whom they reach, and what they need.

First the command looks: at the table, at the routes that take part, and at who reads their event
types. It says so and asks, outside of any event loop. Then it opens the engine and publishes.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Protocol

from msgspec import Struct, field

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.table_scan import DynamoDbScan
from consumer.adapters.aws.tables import DynamoDbTable
from consumer.adapters.clock import AwsClock, SystemClock
from consumer.commands import confirmation
from consumer.commands.publishing import nakadis
from consumer.commands.republish.event_type_fitness import (
    OF_READINGS,
    OF_TOUCHES,
    Unseen,
    check_event_type,
)
from consumer.commands.source_table import table_of
from consumer.core.event.items.shapes import Shapes
from consumer.core.republish.item_event import Run
from consumer.core.republish.item_events import ItemEvents
from consumer.core.republish.item_filter import ItemFilter
from consumer.core.republish.rate_limit import RateLimit, usual_rate
from consumer.core.republish.subscriptions import Subscription, subscriptions_of
from consumer.core.republish.taking_part import (
    Participation,
    taking_part,
    touched,
    unknown_names,
)
from consumer.core.routes.filters.lambda_filter import Filter, read_filter_json
from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.credentials import fallback_region
from consumer.errors import Misconfigured, Retryable, TableNotFound, Unreachable
from consumer.find_stream import check_ordering_attributes, patiently
from consumer.runtime.republish.publishing import Republisher
from consumer.runtime.republish.table_reader import TableReader
from consumer.runtime.republish.two_reads import APART_SECONDS, TwoReads
from consumer.settings.routes import routes_of

if TYPE_CHECKING:
    import argparse
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

    from consumer.adapters.nakadi import Nakadi
    from consumer.core.republish.table.table_description import TableDescription
    from consumer.core.routes.route import Route
    from consumer.ports import Clock, Publisher
    from consumer.settings.settings import Settings

CONNECTIONS = 4

EVENTS_A_SECOND = 500.0
"""How fast is published, if --max-rate does not say it."""


class Participate(Protocol):
    """Says which routes take part in a run."""

    def __call__(self, routes: Sequence[Route], /, *, stream_arn: str) -> Participation:
        """Return those that do, and why the others do not."""
        ...


class Reach(Struct, frozen=True):
    """What a run reaches. `readers` are the subscriptions by event type, None if not known.

    `clock` has learned AWS's time: that of a read is compared with the times of changes.
    `definitions` are those of the event types, or why one could not be looked at.
    """

    settings: Settings
    table: TableDescription
    routes: tuple[Route, ...]
    participation: Participation
    run: Run
    readers: Mapping[str, Sequence[Subscription] | None]
    clock: AwsClock
    definitions: Mapping[str, bytes | Unseen] = field(default_factory=dict)

    def item_filter(self, asked: Filter) -> ItemFilter:
        """Return the filter of --filter, to be asked of the table's items."""
        return ItemFilter(asked, self.table.keys, self.run.stream.arn)

    def lines(self) -> Iterator[str]:
        """Yield what is said before the command asks."""
        yield f"table {self.table.name}, stream {self.run.stream.label}, run {self.run.id}"
        for route in self.participation.taking:
            yield f"route {route.title}: publishes to {route.event_type}"
        for route, reason in self.participation.others:
            yield f"route {route.title}: takes no part, {reason}"
        for event_type, seen in self.definitions.items():
            if isinstance(seen, Unseen):
                yield f"{event_type}: whether it takes these events could not be seen: {seen.why}"
        for event_type, readers in self.readers.items():
            if readers is None:
                yield f"{event_type}: its subscriptions could not be listed"
            elif not readers:
                yield f"{event_type}: no subscription reads it"
            for reader in readers or ():
                group = f", group {reader.group}" if reader.group else ""
                yield f"{event_type}: read by {reader.owner}{group}, subscription {reader.id}"
        yield "each reader of these event types gets every event"


class Engine(Struct, frozen=True):
    """The parts of a run, opened."""

    table: DynamoDbTable
    scan: DynamoDbScan
    units: RateLimit
    events: ItemEvents
    reader: TableReader
    reads: TwoReads
    republisher: Republisher
    clock: Clock


class Rates(Struct, frozen=True):
    """Read units and events a second, as the options say; None: as the command does by itself."""

    read_units: float | None = None
    events: float | None = None

    @property
    def published(self) -> float:
        """Events a second."""
        return self.events or EVENTS_A_SECOND

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Rates:
        """Return those of the options. Raise Misconfigured."""
        return cls(number("--rcu", arguments.rcu), number("--max-rate", arguments.max_rate))


def run_id(name: str) -> str:
    """Return an id for a run of a command that nobody has named."""
    return f"{name}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"


def look(settings: Settings, names: Sequence[str], identity: str, *, removes: bool) -> Reach:
    """Return what a run with this id reaches, by the routes of these names, or all.

    `removes` says whether what is gone is published, too. Raise Misconfigured, Unreachable.
    """
    participate = partial(taking_part, names=names, removes=removes)
    return asyncio.run(_look(settings, names, identity, participate, OF_READINGS))


def look_at_touch(settings: Settings, identity: str) -> Reach:
    """Return what a touch of items reaches. Raise Misconfigured, Unreachable."""
    return asyncio.run(_look(settings, (), identity, touched, OF_TOUCHES))


async def _look(
    settings: Settings,
    names: Sequence[str],
    identity: str,
    participate: Participate,
    members: Collection[str],
) -> Reach:
    clock = AwsClock(SystemClock())
    chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
    async with Aws(fallback_region(settings), clock) as aws:
        table = DynamoDbTable(await aws.dynamodb(CONNECTIONS), clock, _table_of(settings))
        try:
            described = await patiently("the table", table.describe, clock, chance)
        except TableNotFound as error:
            raise Misconfigured(f"CONSUMER_TABLE: {error}; wanted a table with a stream") from None
    if described.stream is None:
        raise Misconfigured(
            f"CONSUMER_TABLE: table {described.name!r} has no stream; readers order events by it"
        )
    check_ordering_attributes(settings, described.keys)
    routes = routes_of(settings, described.keys)
    unknown = unknown_names(routes, names)
    if unknown:
        known = ", ".join(route.title for route in routes)
        raise Misconfigured(f"--route: found {unknown[0]!r}, wanted one of {known}")
    participation = participate(routes, stream_arn=described.stream.arn)
    if not participation.taking:
        told = "; ".join(f"{route.title}: {reason}" for route, reason in participation.others)
        raise Misconfigured(f"no route takes part: {told}")
    run = Run(identity, described.arn, described.stream)
    async with Aws(fallback_region(settings), clock) as aws, AsyncExitStack() as stack:
        clients = await nakadis(stack, settings, participation.taking, clock, aws)
        definitions: dict[str, bytes | Unseen] = {
            route.event_type: await check_event_type(clients[route.event_type], route, members)
            for route in participation.taking
        }
        readers = {name: await _readers(nakadi) for name, nakadi in clients.items()}
    return Reach(settings, described, routes, participation, run, readers, clock, definitions)


@asynccontextmanager
async def opened(reach: Reach, rates: Rates, apart: float = APART_SECONDS) -> AsyncIterator[Engine]:
    """Open the engine. Two reads are `apart` by this many seconds.

    Raise Unreachable in place of a Retryable, and Misconfigured in place of a TableNotFound,
    both of which the block may raise.
    """
    settings, clock = reach.settings, reach.clock
    chance = random.Random()  # noqa: S311 - spreads retries, guards no secret
    async with Aws(fallback_region(settings), clock) as aws, AsyncExitStack() as stack:
        dynamodb = await aws.dynamodb(CONNECTIONS)
        table = DynamoDbTable(dynamodb, clock, reach.table.name, reach.table.keys)
        taking = reach.participation.taking
        events = ItemEvents(reach.routes, reach.participation, reach.run, Shapes())
        units = RateLimit(rates.read_units or usual_rate(reach.table.read_capacity))
        reader = TableReader(table, units, clock, chance)
        publishers: dict[str, Publisher] = {**await nakadis(stack, settings, taking, clock, aws)}
        rate = RateLimit(rates.published)
        engine = Engine(
            table,
            DynamoDbScan(table, dynamodb),
            units,
            events,
            reader,
            TwoReads(reader, events, clock, apart),
            Republisher(taking, publishers, events, rate, clock, chance),
            clock,
        )
        try:
            yield engine
        except TableNotFound as error:
            raise Misconfigured(f"CONSUMER_TABLE: {error}") from error
        except Retryable as error:
            raise Unreachable(f"table {reach.table.name}: {error}") from error


def confirm(question: str) -> None:
    """Ask before anything is published. Raise Misconfigured without a yes."""
    confirmation.confirm(f"{question} ", to="publish", done="published")


def number(option: str, text: str | None) -> float | None:
    """Return the number of an option, None if it was not given. Raise Misconfigured."""
    if text is None:
        return None
    found = 0.0
    with suppress(ValueError):
        found = float(text)
    if not 0 < found < 1e9:
        raise Misconfigured(f"{option}: found {text!r}, wanted a number above 0")
    return found


def filter_of(text: str | None) -> Filter | None:
    """Return the filter of --filter, None if it was not given. Raise Misconfigured."""
    if text is None:
        return None
    try:
        return read_filter_json(text)
    except BadPattern as error:
        raise Misconfigured(f"--filter: {error}") from None


async def _readers(nakadi: Nakadi) -> Sequence[Subscription] | None:
    """Return the subscriptions of an event type, None if Nakadi does not tell them."""
    try:
        status, body, _ = await nakadi.subscriptions()
    except Retryable:
        return None
    return subscriptions_of(body) if status == 200 else None


def _table_of(settings: Settings) -> str:
    name = table_of(settings)
    if name is None:
        raise Misconfigured("CONSUMER_TABLE: found nothing, wanted the table")
    return name
