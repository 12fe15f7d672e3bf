"""The table that the settings name, by itself or by the ARN of its stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.stream.stream import Stream

if TYPE_CHECKING:
    from consumer.settings.settings import Settings


def table_of(settings: Settings) -> str | None:
    """Return the name of the table, None if the settings do not tell it."""
    if settings.table is None and settings.stream_arn is not None:
        return Stream.from_arn(settings.stream_arn).table
    return settings.table
