"""Finds the stream by table or ARN, and refuses one that cannot be used, with one clear line.

Rule: once an application has read a table, a fact about the table, or about its newest stream, does
not prevent a start while another of its streams can be read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import structlog
from msgspec import Struct

from consumer.core.backoff import Backoff
from consumer.core.leases.streams.lineage import oldest_first
from consumer.core.leases.streams.purpose import Purpose
from consumer.core.leases.streams.stream_place import Reading, highest_above, said_by
from consumer.core.routes.route_images import missing_images
from consumer.core.stream.stream import Stream, StreamPage, ViewType
from consumer.errors import (
    Misconfigured,
    Retryable,
    ShardNotFound,
    TableNotFound,
    Unreachable,
)
from consumer.observability.actions import TRUST_FOR_AWS
from consumer.settings.fingerprint import fingerprint
from consumer.settings.routes import check_touch_attribute, routes_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.ports import Chance, Clock, StreamClient
    from consumer.settings.settings import Settings

Result = TypeVar("Result")

log = structlog.get_logger()

START_SECONDS = 30.0
"""Time for which a service that cannot be reached at start is tried again."""

_ACTIONS = {
    "tls": TRUST_FOR_AWS,
    "access_denied": (
        "give this role the right that is missing: `consumer iam-policy` prints all that are needed"
    ),
}
"""By the reason of a failure; for all others it is enough to try again."""

PAUSE = 0.2
PAUSE_MAX = 3.0


class FoundStream(Struct, frozen=True):
    """The first page of the description of the stream to start with.

    `doubt` says why it is not the table's newest one, or why that one cannot be read; None if all
    is well.
    """

    page: StreamPage
    doubt: Misconfigured | Retryable | None = None


def tell_doubt(found: FoundStream) -> None:
    """Log why the newest stream of the table is not read."""
    if found.doubt is not None:
        log.error(
            "stream_doubtful",
            stream=found.page.stream.key,
            detail=str(found.doubt),
            action="remove what `detail` names; the streams that are known are read meanwhile",
        )


async def patiently(
    what: str, call: Callable[[], Awaitable[Result]], clock: Clock, chance: Chance
) -> Result:
    """Return the result of `call`; try again, with a back-off, while it raises Retryable.

    Raise Unreachable after `START_SECONDS`; `what` names the service in messages.
    """
    give_up_at = clock.now() + START_SECONDS
    backoff = Backoff(PAUSE, PAUSE_MAX)
    while True:
        try:
            return await call()
        except Retryable as error:
            if clock.now() >= give_up_at:
                action = _ACTIONS.get(error.reason)
                raise Unreachable(
                    f"{what} could not be reached for {START_SECONDS:g} s: {error}"
                    + (f"; {action}" if action else "")
                ) from error
            log.warning(
                "not_reached_yet",
                what=what,
                reason=error.reason,
                detail=str(error),
                action=_ACTIONS.get(
                    error.reason,
                    f"nothing; it is tried again for {START_SECONDS:g} s, then the service exits"
                    " with 1",
                ),
            )
            await clock.sleep(backoff.next(chance.random()))


async def find_stream(
    settings: Settings, client: StreamClient, rows: Sequence[StreamRow] = ()
) -> FoundStream:
    """Find the stream that the settings name: the table's newest, or that of the ARN.

    `rows` are the stream rows of this application. If there are some of this table, another of its
    streams will do: it is read on, whatever the table and its newest stream say.

    Raise Misconfigured if there is no stream, or none has the images that the settings need. Raise
    Retryable.
    """
    if settings.table is None:
        page = await _describe(settings, client, Stream.from_arn(settings.stream_arn or ""))
        check_view_type(settings, page)
        return FoundStream(page)
    streams = list(known_streams(settings.table, rows))
    doubts: list[Misconfigured | Retryable] = []
    try:
        newest = await _newest(settings.table, client)
        streams = [newest, *(stream for stream in streams if stream != newest)]
    except (Misconfigured, Retryable) as error:
        doubts.append(error)
    unfit: StreamPage | None = None
    for stream in streams:
        try:
            page = await _describe(settings, client, stream)
            unfit = unfit or page
            check_view_type(settings, page)
        except Misconfigured as error:
            doubts.append(error)
        else:
            return FoundStream(page, doubts[0] if doubts else None)
    if unfit is not None and _read_before(settings, unfit, rows):
        return FoundStream(unfit, doubts[0])
    raise doubts[0]


def known_streams(table: str, rows: Sequence[StreamRow]) -> tuple[Stream, ...]:
    """Return the streams of a table that have a row, newest first.

    Without those that cannot be read, and those that were passed by.
    """
    return tuple(
        row.stream
        for row in reversed(oldest_first(row for row in rows if row.table == table))
        if row.unreadable is None and row.passed_by is None
    )


def is_known(settings: Settings, page: StreamPage, rows: Sequence[StreamRow]) -> bool:
    """Return whether this application has read the stream, or an older one of the table."""
    if settings.table is not None:
        return any(row.table == settings.table for row in rows)
    return any(row.key == page.stream.key for row in rows)


def _read_before(settings: Settings, page: StreamPage, rows: Sequence[StreamRow]) -> bool:
    """Return whether the application read this table with the same purpose before.

    Then the table has changed, and may be mended while the service waits. If the purpose differs,
    the settings have changed, and the start is refused.
    """
    purpose = purpose_of(settings, page)
    return any(row.table == settings.table and purpose.fits(row) for row in rows)


def purpose_of(settings: Settings, page: StreamPage) -> Purpose:
    """Return what the settings publish from a stream."""
    return Purpose(
        fingerprint(settings, page.key_attributes[0]),
        settings.event_types,
        routed=bool(settings.routes),
        stream_prefix=settings.stream_prefix,
    )


async def _newest(table: str, client: StreamClient) -> Stream:
    try:
        stream = await client.latest_stream(table)
    except TableNotFound as error:
        raise Misconfigured(f"CONSUMER_TABLE: {error}; wanted a table with a stream") from None
    if stream is None:
        raise Misconfigured(
            f"CONSUMER_TABLE: table {table!r} has no stream; "
            f"enable one with view type {ViewType.NEW_AND_OLD_IMAGES}"
        )
    return stream


async def _describe(settings: Settings, client: StreamClient, stream: Stream) -> StreamPage:
    try:
        return await client.describe_stream(stream, None)
    except ShardNotFound:
        name = "CONSUMER_TABLE" if settings.table is not None else "CONSUMER_STREAM_ARN"
        raise Misconfigured(
            f"{name}: stream {stream.arn} does not exist; a stream that was disabled, or whose "
            "table was deleted, is gone after 24 hours"
        ) from None


def check_view_type(settings: Settings, page: StreamPage) -> None:
    """Raise Misconfigured if the stream's records lack an image that the events need."""
    for route in routes_of(settings, page.key_attributes, page.view_type):
        missing = missing_images(route, page.view_type)
        if missing is not None:
            raise Misconfigured(
                f"stream {page.stream.arn} has view type {page.view_type}: {missing}"
            )


def check_ordering_key(settings: Settings, page: StreamPage) -> None:
    """Check the attributes of each route's ordering key against those of the table's key."""
    check_ordering_attributes(settings, page.key_attributes)


def check_ordering_attributes(settings: Settings, keys: tuple[str, ...]) -> None:
    """Check the attributes of each route's ordering key.

    Raise Misconfigured unless they belong to the table's key `keys`, whose first one, the partition
    key, is among them. Neither may a key attribute be the touch attribute.
    """
    check_touch_attribute(settings, keys)
    for route in routes_of(settings, keys):
        chosen = route.format.ordering_key
        if keys[0] not in chosen or not set(chosen) <= set(keys):
            raise Misconfigured(
                f"{route.setting('ordering_key')}: found {','.join(chosen)!r}, wanted attributes of"
                f" the table's primary key ({', '.join(keys)}), {keys[0]!r} among them"
            )


def check_place(settings: Settings, page: StreamPage, rows: Sequence[StreamRow]) -> None:
    """Raise Misconfigured if events of another stream of this application sort above its own.

    Readers would drop those of this one. `rows` are the stream rows of this application.
    """
    ours = Reading(page.stream, settings.stream_prefix, settings.table is not None)
    above = highest_above(ours, rows)
    if above is not None:
        raise Misconfigured(
            f"CONSUMER_STREAM_PREFIX: events of stream {page.stream.key} would say"
            f" {ours.said!r}, but those of stream {above.key} say {said_by(above)!r}, which sorts"
            " above: readers would drop the new ones; set a prefix that sorts above the latter, as"
            " after a move to another table, or read that stream"
        )


def check_enabled(page: StreamPage, *, known: bool) -> None:
    """Raise Misconfigured if the stream is disabled and this application has read nothing yet.

    A disabled stream is read to its end if it, or an older one of the table, was read before.
    """
    if not page.enabled and not known:
        raise Misconfigured(
            f"stream {page.stream.arn} is disabled, and this application has read nothing of it; "
            "enable a stream for the table (it gets a new ARN)"
        )
