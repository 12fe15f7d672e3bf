"""Refuses routes to an event type to which another application publishes the same stream.

A service with a single event type is an application of its own, named like the event type. Where it
has a row of the stream, and its event type is now one of the routes of another application, every
change would be published twice, in an order that nobody keeps.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.leases.streams.purpose import second_senders
from consumer.errors import Misconfigured
from consumer.find_stream import purpose_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from consumer.core.leases.lease import StreamRow
    from consumer.core.stream.stream import StreamPage
    from consumer.settings.settings import Settings

log = structlog.get_logger()


async def check_second_sender(
    settings: Settings,
    page: StreamPage,
    rows_of: Callable[[str], Awaitable[Sequence[StreamRow]]],
) -> None:
    """Raise Misconfigured if another application is named like an event type of the routes.

    `rows_of` returns the stream rows of an application. Only one that has a row of this stream
    counts; if the change is accepted, it is a warning. Raise Retryable.
    """
    purpose = purpose_of(settings, page)
    found: list[str] = []
    for name in purpose.event_types if purpose.routed else ():
        if name != settings.application:
            rows = await rows_of(name)
            found += [name] * any(row.key == page.stream.key for row in rows)
    others = second_senders(purpose, settings.application, found)
    if not others:
        return
    names = ", ".join(others)
    if settings.accept_change:
        for name in others:
            log.warning(
                "second_sender",
                stream=page.stream.key,
                application=name,
                action="stop all workers of this application, then unset CONSUMER_ACCEPT_CHANGE",
            )
        return
    raise Misconfigured(
        f"CONSUMER_ROUTES: stream {page.stream.key} has a row under the application {names}, which"
        " publishes to the event type of that name, and so would a route: two senders; set"
        " CONSUMER_APPLICATION to that name if this service takes its place, or stop it, and start"
        " this one once with CONSUMER_ACCEPT_CHANGE=true"
    )
