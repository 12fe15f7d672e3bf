"""Errors, sorted by the reaction they require.

    ConsumerError
    ├── Retryable          try again later; nothing was decided
    │   ├── ExpiredIterator     reopen after the last sequence number read
    │   └── UnknownOutcome      a write that may or may not have happened
    ├── Poison             this one item can never succeed; everything else can
    ├── LeaseLost          stop with this shard at once; somebody else may own it
    │   └── LeaseConflict       a conditional write was refused; carries the row as it is
    └── Fatal              the process ends; `exit_code` says how
        ├── Misconfigured       exit code 2: the operator must change something
        │   └── LeaseTableAbsent    it is not there, and was not to be created
        ├── NotReleased         exit code 1: leases were still held at the drain deadline
        └── StreamUnreachable   exit code 1: worth a restart

Two answers of DynamoDB Streams are facts about a shard rather than errors to retry, so they stand
beside the four: `TrimmedData` and `ShardNotFound`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from consumer.core.leases.lease import Lease

Kind = TypeVar("Kind", bound=BaseException)


class ConsumerError(Exception):
    """Everything this service raises on purpose."""


class Retryable(ConsumerError):
    """A passing failure. `reason` is a short name for metrics, such as `throttled` or `timeout`."""

    def __init__(self, message: str, reason: str = "error") -> None:
        super().__init__(message)
        self.reason = reason


class ExpiredIterator(Retryable):
    """ExpiredIteratorException: the iterator is older than 15 minutes."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "expired_iterator")


class UnknownOutcome(Retryable):
    """A write whose answer was lost: it may have taken effect."""


class Poison(ConsumerError):
    """One item that can never succeed."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class LeaseLost(ConsumerError):
    """The shard is not ours any more."""


class LeaseConflict(LeaseLost):
    """A condition failed. `current` is the row as the table returned it, None if it is absent."""

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
    """The lease table does not exist and was not to be created."""


class NotReleased(Fatal):
    """The drain deadline has passed and the lease table did not take every lease back."""


class StreamUnreachable(Fatal):
    """The stream or the lease table could not be reached for the time allowed at start."""


class TrimmedData(ConsumerError):
    """TrimmedDataAccessException: the position asked for is older than what the stream holds."""


class ShardNotFound(ConsumerError):
    """ResourceNotFoundException for a shard or its stream. No proof yet that it is gone."""


def first_in(error: BaseException, kind: type[Kind]) -> Kind | None:
    """The error itself, or the first of its kind in a group of groups; None if there is none."""
    if isinstance(error, kind):
        return error
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            found = first_in(inner, kind)
            if found is not None:
                return found
    return None
