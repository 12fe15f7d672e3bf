"""The state of the local Nakadi."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from localdev.nakadi.control.faults import Faults
from localdev.nakadi.control.request_log import RequestLog
from localdev.nakadi.event_types.registry import Registry
from localdev.nakadi.http.tokens import TokenService

if TYPE_CHECKING:
    from localdev.nakadi.local_subscription import LocalSubscription

# The server waits this long for its store before it calls an event failed.
STORAGE_WAIT_SECONDS = 30.0


@dataclass(slots=True)
class LocalNakadi:
    """One server's memory. `keep_text` False keeps what judges need and drops event texts.

    `address` is where it listens, as `host:port`.
    """

    event_types: Registry = field(default_factory=Registry)
    tokens: TokenService = field(default_factory=TokenService)
    faults: Faults = field(default_factory=Faults)
    requests: RequestLog = field(default_factory=RequestLog)
    blocked: set[str] = field(default_factory=set)
    subscriptions: list[LocalSubscription] = field(default_factory=list)
    storage_wait: float = STORAGE_WAIT_SECONDS
    keep_text: bool = True
    address: str = ""
