"""What a proxy does to the exchanges that pass it."""

from dataclasses import dataclass
from enum import StrEnum


class Kind(StrEnum):
    """What becomes of an exchange: a request and its answer."""

    DELAY = "delay"  # the request goes on later, even if the client has left by then
    CUT = "cut"  # the connection is reset before the request goes on
    BLACKHOLE = "blackhole"  # all bytes, both ways, stay until the trouble ends, as in TCP
    LOSE = "lose"  # the server does what was asked, the client gets a reset for an answer
    SILENCE = "silence"  # the same, but the client is left waiting


@dataclass(frozen=True, slots=True)
class Trouble:
    """Hits an exchange with `probability` if the beginning of its request has `containing`.

    Whatever the kind, a request that goes on at all does so after `seconds`. A blackhole takes all
    of them. What is under way when it is set is hit by a blackhole, and by a cut that is certain;
    other kinds hit what begins later.
    """

    kind: Kind
    probability: float = 1.0
    seconds: float = 0.0
    containing: bytes = b""


@dataclass(frozen=True, slots=True)
class Exchange:
    """A request that came in at `started` (CLOCK_MONOTONIC), and what it met."""

    started: float
    kind: Kind | None
