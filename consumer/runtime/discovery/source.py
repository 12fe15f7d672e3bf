"""The source: what a worker is configured to read. Rule: it is the same while the worker runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.core.stream.stream import Stream, ViewType


@dataclass(frozen=True, slots=True)
class Source:
    """What this worker is configured to read, and for which events.

    `stream` is the configured stream, or the table's latest one at the start of the process.
    `follow_table` says that newer streams of the same table are read, too (CONSUMER_TABLE).
    `start_position` is TRIM_HORIZON, LATEST or an ISO time with zone. `fingerprint` names event
    type, data type, ordering key, layout and patch in words that an operator can compare.
    `view_types` are those that carry the images needed. `accept_change` allows another fingerprint
    in the stream's row to be replaced.
    """

    stream: Stream
    follow_table: bool
    start_position: str
    fingerprint: str
    view_types: frozenset[ViewType]
    accept_change: bool = False
