"""Reads the rows in an answer of the lease table, any of which may be damaged.

A row that cannot be read is never left out: the row of a lease that seems absent would be made
anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from consumer.adapters.aws.aws_errors import describe
from consumer.adapters.lease_table.lease_rows import key_of
from consumer.adapters.odd_answer import ODD
from consumer.errors import Retryable, UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.adapters.lease_table.lease_rows import Row

Value = TypeVar("Value")

MALFORMED = "malformed_row"


def read_rows(
    convert: Callable[[Row], Value], rows: Sequence[Row], prefix: str = ""
) -> list[Value]:
    """Convert the rows whose key begins with `prefix`. Raise Retryable if one cannot be read."""
    values = []
    for row in rows:
        try:
            if key_of(row).startswith(prefix):
                values.append(convert(row))
        except ODD as error:
            raise Retryable(_damage(row, error), MALFORMED) from error
    return values


def row_of_write(convert: Callable[[Row], Value], row: Row) -> Value:
    """Convert the row in the answer to a write. Raise UnknownOutcome if it cannot be read."""
    try:
        return convert(row)
    except ODD as error:
        raise UnknownOutcome(_damage(row, error), MALFORMED) from error


def _damage(row: Row, error: Exception) -> str:
    try:
        name = repr(key_of(row))
    except ODD:
        name = "without a key"
    return f"row {name}: {describe(error)}"
