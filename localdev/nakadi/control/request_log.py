"""The log of publishing requests: one entry for each."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import asdict, dataclass, field

# Oldest entries go first; 20,000 requests of 500 events are some ten million eids less than this.
REQUESTS_REMEMBERED = 20_000


@dataclass(slots=True)
class PublishRequest:
    """One request. Times are monotonic seconds of the server; `ended` None while it is in flight.

    `status` 0 means that the connection was closed without an answer. `eids` and `keys` are those
    of the body in its order, empty when it could not be parsed.
    """

    number: int
    event_type: str
    flow_id: str
    bytes: int
    started: float
    ended: float | None = None
    status: int | None = None
    fault: int | None = None
    eids: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)

    def facts(self) -> dict[str, object]:
        """Return the entry as a JSON object, with the number of events."""
        return {**asdict(self), "events": len(self.eids)}


@dataclass(slots=True)
class RequestLog:
    """The latest requests, oldest first."""

    total: int = 0
    entries: deque[PublishRequest] = field(
        default_factory=lambda: deque(maxlen=REQUESTS_REMEMBERED)
    )

    def begin(self, event_type: str, flow_id: str, size: int) -> PublishRequest:
        """Note a request whose body has arrived."""
        entry = PublishRequest(self.total, event_type, flow_id, size, time.monotonic())
        self.total += 1
        self.entries.append(entry)
        return entry

    def end(self, entry: PublishRequest, status: int) -> None:
        """Note its answer."""
        entry.ended = time.monotonic()
        entry.status = status
