"""A subscription of the local Nakadi."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LocalSubscription:
    """Who reads which event types."""

    id: str
    owner: str
    event_types: tuple[str, ...]
    group: str

    def facts(self) -> dict[str, object]:
        """Return it as the server lists it."""
        return {
            "id": self.id,
            "owning_application": self.owner,
            "event_types": [*self.event_types],
            "consumer_group": self.group,
        }
