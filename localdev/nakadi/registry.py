"""The event types there are."""

from __future__ import annotations

from localdev.nakadi.event_type import EventType, make_event_type
from localdev.nakadi.json_value import Json, JsonObject
from localdev.nakadi.problem import ProblemError

PARTITIONS_MAX = 8


class Registry:
    """Event types by name. `partitions_max` is the server's own limit on partitions."""

    def __init__(self) -> None:
        self.partitions_max = PARTITIONS_MAX
        self._types: dict[str, EventType] = {}

    def create(self, definition: JsonObject) -> EventType:
        """Add an event type from what a client sent."""
        name = str(definition["name"])
        if name in self._types:
            raise ProblemError(409, f'EventType with name "{name}" already exists (or wasn\'t completely removed yet)')
        created = make_event_type(definition, self._partitions(definition), None)
        self._types[name] = created
        return created

    def _partitions(self, definition: JsonObject) -> int:
        statistic: Json = definition.get("default_statistic")
        if not isinstance(statistic, dict):
            return 1
        wanted = [statistic.get("read_parallelism"), statistic.get("write_parallelism")]
        return min(max(n for n in wanted if isinstance(n, int)), self.partitions_max)

    def get(self, name: str) -> EventType | None:
        """Return an event type, None if there is none of that name."""
        return self._types.get(name)

    def delete(self, name: str) -> None:
        """Remove an event type and its log."""
        self._types.pop(name, None)

    def names(self) -> list[str]:
        """Return all names."""
        return list(self._types)
