"""Faults on demand: of the faults in a list, the first that fits hits a call."""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from enum import StrEnum


class FaultKind(StrEnum):
    """What a call gets instead of its ordinary answer; only with the last six is it carried out."""

    THROTTLE = "throttle"  # ThrottlingException
    LIMIT_EXCEEDED = "limit-exceeded"  # LimitExceededException
    SERVER_ERROR = "server-error"  # InternalServerError, status 500
    EXPIRED = "expired"  # ExpiredIteratorException
    TRIMMED = "trimmed"  # TrimmedDataAccessException
    NOT_FOUND = "not-found"  # ResourceNotFoundException
    VALIDATION = "validation"  # ValidationException
    EXPIRED_CREDENTIALS = "expired-credentials"  # ExpiredTokenException
    RESET = "reset"  # the connection ends before an answer
    HOLLOW = "hollow"  # {} with status 200: whole, correct JSON, and no answer
    EMPTY = "empty"  # GetRecords: a page without records, at the same position
    TRIM = "trim"  # GetRecords: the record to be read next is trimmed just before
    SLOW = "slow"  # the ordinary answer, `seconds` later
    TRUNCATE = "truncate"  # half of the body, shorter than Content-Length says
    CUT = "cut"  # half of the body, Content-Length fits, the checksum is that of the whole
    WRONG_CRC = "wrong-crc"  # the whole body with a checksum that is not its own


@dataclass(slots=True)
class Fault:
    """One fault; every member can be given as JSON under its name.

    It hits calls of `operation` (`*`: all), of GetRecords and GetShardIterator only those for
    `shard` if given, with `probability`, after the first `skip` that fit, `count` of them at most
    (None: until cleared). `crc`: false leaves x-amz-crc32 out of a damaged answer, as emulators do
    of all. `gzip_header`: the answer is plain and its header says gzip, as the real service's large
    errors may be; `padding`: bytes added to an error's message. Units: seconds.
    """

    kind: FaultKind
    operation: str = "GetRecords"
    shard: str | None = None
    probability: float = 1.0
    skip: int = 0
    count: int | None = 1
    seconds: float = 1.0
    crc: bool = True
    gzip_header: bool = False
    padding: int = 0

    def hits(self, operation: str, shard: str | None, chance: Callable[[], float]) -> bool:
        """Return whether this call is hit, and count it."""
        if self.operation not in ("*", operation) or self.shard not in (None, shard):
            return False
        if self.count == 0:
            return False
        if self.skip:
            self.skip -= 1
            return False
        if chance() >= self.probability:
            return False
        if self.count is not None:
            self.count -= 1
        return True


@dataclass(slots=True)
class Faults:
    """The faults still to come, in the order in which they were asked for.

    `chance` returns a float in [0, 1).
    """

    chance: Callable[[], float]
    waiting: list[Fault] = field(default_factory=list)

    def draw(self, operation: str, shard: str | None) -> Fault | None:
        """Return the fault that hits this call."""
        for fault in self.waiting:
            if fault.hits(operation, shard, self.chance):
                self.waiting = [fault for fault in self.waiting if fault.count != 0]
                return fault
        return None

    def facts(self) -> list[dict[str, object]]:
        """Return the faults still to come, as JSON."""
        return [asdict(fault) for fault in self.waiting]
