"""What it means that the answer to a write of the lease table cannot be read."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from consumer.adapters.odd_answer import ODD, unreadable
from consumer.errors import UnknownOutcome

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def reading_written(call: str) -> Iterator[None]:
    """Raise UnknownOutcome if the block cannot read the answer to a write.

    That is an answer whose form is wrong. A row in which an attribute is wrong can be read, and is
    marked (`lease_rows`).
    """
    try:
        yield
    except ODD as error:
        raise UnknownOutcome(f"{call}: {unreadable(error)}", "malformed_answer") from error
