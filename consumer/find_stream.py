"""Finds the stream by table or ARN, and refuses one that cannot be used, with one clear line."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import structlog

from consumer.core.backoff import Backoff
from consumer.core.stream.stream import Stream, StreamPage, ViewType
from consumer.errors import Misconfigured, Retryable, ShardNotFound, StreamUnreachable
from consumer.observability.actions import ENABLE_A_STREAM

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from consumer.ports import Chance, Clock, StreamClient
    from consumer.settings.settings import Settings

Result = TypeVar("Result")

log = structlog.get_logger()

START_SECONDS = 30.0
"""Time for which a service that cannot be reached at start is tried again."""

PAUSE = 0.2
PAUSE_MAX = 3.0


async def patiently(
    what: str, call: Callable[[], Awaitable[Result]], clock: Clock, chance: Chance
) -> Result:
    """Return the result of `call`; try again, with a back-off, while it raises Retryable.

    Raise StreamUnreachable after `START_SECONDS`; `what` names the service in messages.
    """
    give_up_at = clock.now() + START_SECONDS
    backoff = Backoff(PAUSE, PAUSE_MAX)
    while True:
        try:
            return await call()
        except Retryable as error:
            if clock.now() >= give_up_at:
                raise StreamUnreachable(
                    f"{what} could not be reached for {START_SECONDS:g} s: {error}"
                ) from error
            log.warning(
                "not_reached_yet",
                what=what,
                reason=error.reason,
                detail=str(error),
                action=f"nothing; it is tried again for {START_SECONDS:g} s, then the service exits"
                " with 1",
            )
            await clock.sleep(backoff.next(chance.random()))


async def find_stream(settings: Settings, client: StreamClient) -> StreamPage:
    """Return the first page of the description of the stream that the settings name.

    Raise Misconfigured if it does not exist or has not the images that the settings need, or
    Retryable.
    """
    if settings.table is not None:
        stream = await client.latest_stream(settings.table)
        if stream is None:
            raise Misconfigured(
                f"CONSUMER_TABLE: table {settings.table!r} has no stream; "
                f"enable one with view type {ViewType.NEW_AND_OLD_IMAGES}"
            )
    else:
        stream = Stream.from_arn(settings.stream_arn or "")
    try:
        page = await client.describe_stream(stream, None)
    except ShardNotFound:
        name = "CONSUMER_TABLE" if settings.table is not None else "CONSUMER_STREAM_ARN"
        raise Misconfigured(f"{name}: stream {stream.arn} does not exist") from None
    check_view_type(settings, page)
    return page


def check_view_type(settings: Settings, page: StreamPage) -> None:
    """Raise Misconfigured if the stream's records lack an image that the events need."""
    if page.view_type in settings.view_types:
        return
    stream = f"stream {page.stream.arn} has view type {page.view_type}"
    if page.view_type is ViewType.NEW_IMAGE:
        raise Misconfigured(
            f"{stream}: CONSUMER_PATCH=true needs {ViewType.NEW_AND_OLD_IMAGES}, because a patch "
            "is made from both images; use such a stream, or set CONSUMER_PATCH=false"
        )
    needed = " or ".join(sorted(settings.view_types))
    raise Misconfigured(
        f"{stream}: {needed} is needed, because every event has the complete item after the "
        "change; a view type cannot be changed, so disable the stream and enable it with that one"
    )


def check_ordering_key(settings: Settings, page: StreamPage) -> None:
    """Check the attributes of the ordering key, if it is set.

    Raise Misconfigured unless they belong to the table's key, the partition key among them.
    """
    chosen, keys = settings.ordering_key, page.key_attributes
    if chosen and (keys[0] not in chosen or not set(chosen) <= set(keys)):
        raise Misconfigured(
            f"CONSUMER_ORDERING_KEY: found {','.join(chosen)!r}, wanted attributes of the table's "
            f"primary key ({', '.join(keys)}), {keys[0]!r} among them"
        )


def check_enabled(page: StreamPage, *, seen: bool) -> None:
    """Raise Misconfigured if the stream is disabled and this application has never read it.

    A disabled stream that was read before (`seen`) is read to its end.
    """
    if page.enabled:
        return
    if not seen:
        raise Misconfigured(
            f"stream {page.stream.arn} is disabled, and this application has read nothing of it; "
            "enable a stream for the table (it gets a new ARN)"
        )
    log.error(
        "stream_disabled",
        stream=page.stream.key,
        action=ENABLE_A_STREAM,
    )
