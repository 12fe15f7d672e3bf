"""All event types of a local Nakadi."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localdev.nakadi.event_types import event_type_rules as rules
from localdev.nakadi.event_types.event_type import EventType, make_event_type
from localdev.nakadi.http.problem import ProblemError
from localdev.nakadi.timestamp import timestamp

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json, JsonObject

PARTITIONS_MAX = 8


class Registry:
    """Event types by name. `partitions_max` is the server's own limit on partitions."""

    def __init__(self) -> None:
        self.partitions_max = PARTITIONS_MAX
        self._types: dict[str, EventType] = {}
        self._schemas: dict[str, list[JsonObject]] = {}

    def get(self, name: str) -> EventType | None:
        """Return an event type, None if there is none of that name."""
        return self._types.get(name)

    def find(self, name: str) -> EventType:
        """Return an event type, or raise the 404."""
        found = self._types.get(name)
        if found is None:
            raise ProblemError(404, f'EventType "{name}" does not exist.')
        return found

    def all(self) -> list[EventType]:
        """Return all event types, oldest first."""
        return list(self._types.values())

    def schemas(self, name: str) -> list[JsonObject]:
        """Return all versions of an event type's schema, oldest first, or raise the 404."""
        self.find(name)
        return self._schemas[name]

    def create(self, definition: JsonObject) -> None:
        """Add an event type from a definition that was read; 409 if the name is taken."""
        complete = rules.created(definition, timestamp())
        name = str(complete["name"])
        if name in self._types:
            raise ProblemError(409, f"EventType {name} already exists.")
        count = self._partitions(complete["default_statistic"])
        self._schemas[name] = []
        self._keep(make_event_type(complete, count, None))

    def update(self, name: str, definition: JsonObject) -> None:
        """Replace a definition; the log stays."""
        original = self.find(name)
        changed = rules.updated(original.definition, definition, timestamp())
        self._replace(original, changed, len(original.log.partitions))

    def repartition(self, name: str, count: int) -> None:
        """Give an event type more partitions."""
        original = self.find(name)
        if count > self.partitions_max:
            raise ProblemError(
                500, f"Number of partitions should not be more than {self.partitions_max}"
            )
        if count < len(original.log.partitions):
            raise ProblemError(500, "Number of partitions can not decrease")
        statistic = original.definition["default_statistic"]
        definition = dict(original.definition)
        if isinstance(statistic, dict):
            definition["default_statistic"] = {
                **statistic,
                "read_parallelism": count,
                "write_parallelism": count,
            }
        self._replace(original, definition, count)

    def delete(self, name: str) -> None:
        """Remove an event type and its log, or raise the 404."""
        self.find(name)
        del self._types[name], self._schemas[name]

    def _replace(self, original: EventType, definition: JsonObject, count: int) -> None:
        self._keep(make_event_type(definition, count, original.log))

    def _keep(self, event_type: EventType) -> None:
        self._types[event_type.name] = event_type
        schema = event_type.definition["schema"]
        schemas = self._schemas[event_type.name]
        if isinstance(schema, dict) and schema not in schemas:
            schemas.append(schema)

    def _partitions(self, statistic: Json) -> int:
        if not isinstance(statistic, dict):
            return 1
        wanted = (statistic["read_parallelism"], statistic["write_parallelism"])
        return min(max(n for n in wanted if isinstance(n, int)), self.partitions_max)
