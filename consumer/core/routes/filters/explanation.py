"""Why a filter did not take a record: the first condition that failed, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.event.malformed import MalformedItem
from consumer.core.routes.filters.branch import checks_of, compiled
from consumer.core.routes.filters.record_reader import RecordReader

if TYPE_CHECKING:
    from collections.abc import Collection

    from consumer.core.routes.filters.lambda_filter import Filter
    from consumer.core.stream.record import StreamRecord


def first_failure(
    asked: Filter, key_names: Collection[str], record: StreamRecord, stream_arn: str
) -> str:
    """Return the path and the operators that failed, no value, of a filter that took nothing.

    Of several patterns, or branches of `$or`, the first one is looked at. Of a MODIFY a view is
    asked about the item after it.
    """
    after, before = asked.items(key_names)
    item = before if record.event_name == "REMOVE" else after
    branches = [branch for pattern in asked.patterns for branch in pattern.branches]
    start = "" if len(branches) == 1 else f"none of {len(branches)} patterns matches; the first: "
    for path, leaf in branches[0].items():
        checks = checks_of({path: leaf}, item)
        operators = " or ".join(dict.fromkeys(expression.operator for expression in leaf))
        if checks is None:
            return f"{start}{path}: {operators} can never match"
        reader = RecordReader(check.place for check in checks)
        try:
            parts = reader.read(record, stream_arn)
        except MalformedItem as error:
            return f"{start}{path}: it cannot be read: {error}"
        if not compiled(checks, reader)(parts):
            return f"{start}{path}: {operators} does not match"
    return f"{start}each condition matches, but not all of them in the same element of a list"
