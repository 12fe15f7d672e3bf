"""The source: what a worker is configured to read. Rule: it is the same while the worker runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from consumer.core.leases.streams.purpose import Purpose
    from consumer.core.stream.stream import Stream, ViewType


class Source(Struct, frozen=True):
    """What this worker is configured to read, and for which events.

    `stream` is the configured stream, or the table's latest one at the start of the process.
    `follow_table` says that newer streams of the same table are read, too (CONSUMER_TABLE).
    `start_position` is TRIM_HORIZON, LATEST or an ISO time with zone. `purpose` says what is
    published, to be compared with what the stream rows say. `view_types` are those that carry the
    images needed. `accept_change` allows another purpose in the stream's row to be replaced.
    """

    stream: Stream
    follow_table: bool
    start_position: str
    purpose: Purpose
    view_types: frozenset[ViewType]
    accept_change: bool = False
