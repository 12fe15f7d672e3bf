"""Errors, sorted by the reaction that they require.

    ConsumerError
    ├── Retryable          try again later
    │   ├── ExpiredIterator     open a new iterator after the last sequence number read
    │   ├── LeaseTableGone      there is no such table: nothing was read, nothing was written
    │   └── UnknownOutcome      a write that may or may not have happened
    ├── LeaseLost          stop with this shard at once; another worker may own it
    │   └── LeaseConflict       a conditional write was refused; carries the row as it is
    └── Fatal              the process ends; `exit_code` says how
        ├── Misconfigured       exit code 2: the operator must change something
        │   └── LeaseTableAbsent    the table does not exist, and may not be created
        ├── NotReleased         exit code 1: leases were still held at the drain deadline
        ├── Unreachable         exit code 1: a restart may help
        └── TokenUnreachable    exit code 1: a restart may help

Three answers of AWS are facts about a shard or a table rather than errors to retry. They stand
beside these three: `TrimmedData`, `ShardNotFound` and `TableNotFound`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease

Kind = TypeVar("Kind", bound=BaseException)

LEASE_TABLE_GONE = "lease_table_gone"
"""Reason of a LeaseTableGone."""

INVALID_ITERATOR = "invalid_iterator"
"""Reason of an ExpiredIterator: the stream does not take it for an iterator, whatever its age."""

MAX_TEXT = 200
"""Most characters kept of another library's error: it may quote a whole page."""


class ConsumerError(Exception):
    """Base class of all errors that this service raises on purpose."""


class Retryable(ConsumerError):
    """A passing failure. `reason` is a short name for metrics, such as `throttled` or `timeout`."""

    def __init__(self, message: str, reason: str = "error") -> None:
        super().__init__(message)
        self.reason = reason


class ExpiredIterator(Retryable):
    """The stream refuses the iterator: it is older than 15 minutes, or INVALID_ITERATOR."""

    def __init__(self, message: str, reason: str = "expired_iterator") -> None:
        super().__init__(message, reason)


class LeaseTableGone(Retryable):
    """The service says that there is no lease table: no row exists, and no write has happened."""

    def __init__(self, message: str) -> None:
        super().__init__(message, LEASE_TABLE_GONE)


class UnknownOutcome(Retryable):
    """A write whose answer was lost: it may have taken effect."""


class LeaseLost(ConsumerError):
    """The shard no longer belongs to this worker."""


class LeaseConflict(LeaseLost):
    """A condition failed. `current` is the row that the table returned, None if it is absent."""

    def __init__(self, message: str, current: Lease | None) -> None:
        super().__init__(message)
        self.current = current


class Fatal(ConsumerError):
    """The process cannot go on."""

    exit_code = 1


class Misconfigured(Fatal):
    """A setting, or what it names, is wrong. The message is one line for the operator."""

    exit_code = 2


class LeaseTableAbsent(Misconfigured):
    """The lease table does not exist, and this process may not create it."""


class NotReleased(Fatal):
    """The drain deadline has passed, and not every lease could be released."""


class Unreachable(Fatal):
    """What the process needs does not answer, is gone or takes too long. The message names it."""


class TokenUnreachable(Fatal):
    """The secret that holds the bearer token cannot be read."""


class TrimmedData(ConsumerError):
    """TrimmedDataAccessException: the position is older than what the stream still holds."""


class ShardNotFound(ConsumerError):
    """ResourceNotFoundException for a shard or its stream. It does not yet prove them gone."""


class TableNotFound(ConsumerError):
    """ResourceNotFoundException for a table. Its streams can be read for 24 hours more."""


def in_short(error: BaseException) -> str:
    """Return type and text of another library's error as one line, cut at MAX_TEXT characters."""
    text = " ".join(str(error).split())[:MAX_TEXT]
    return f"{type(error).__name__}: {text}"


def first_in(error: BaseException, kind: type[Kind]) -> Kind | None:
    """Return the error itself or the first of this kind in nested groups, None if there is none."""
    if isinstance(error, kind):
        return error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            found = first_in(inner, kind)
            if found is not None:
                return found
    return None
