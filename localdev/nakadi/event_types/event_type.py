"""One event type: its definition, and what follows from it for publishing."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from localdev.nakadi.event_types.log import EventLog
from localdev.nakadi.event_types.partitioning import Partitioner, partitioner
from localdev.nakadi.json_value import Json, JsonObject
from localdev.nakadi.schema.avro import NoValidator, is_avro
from localdev.nakadi.schema.effective_schema import COMPACTED
from localdev.nakadi.schema.event_validator import EventValidator
from localdev.nakadi.strict_json import parse_document

Extractor = Callable[[JsonObject], str]


@dataclass(slots=True)
class EventType:
    """An event type with its log. `definition` is what a GET answers."""

    definition: JsonObject
    validator: EventValidator | NoValidator
    partitioner: Partitioner
    log: EventLog
    key_of: Extractor
    sequence_of: Extractor

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.definition["name"])

    @property
    def compacted(self) -> bool:
        """Whether a later event of a compaction key replaces earlier ones."""
        return self.definition.get("cleanup_policy") in COMPACTED

    @property
    def enriched(self) -> bool:
        """Whether the server fills in metadata."""
        return "metadata_enrichment" in _texts(self.definition.get("enrichment_strategies"))

    @property
    def owned(self) -> bool:
        """Whether its events name an owner."""
        return self.definition.get("event_owner_selector") is not None

    @property
    def version(self) -> str:
        """The version of its schema."""
        schema = self.definition.get("schema")
        return str(schema.get("version")) if isinstance(schema, dict) else ""


def make_event_type(definition: JsonObject, partitions: int, log: EventLog | None) -> EventType:
    """Build an event type; a log that is given is kept (an update), with its partitions."""
    names = [str(number) for number in range(partitions)]
    kept = log or EventLog({})
    for name in names:
        kept.partitions.setdefault(name, [])
    wrapped = definition.get("category") == "data"
    keys = _texts(definition.get("ordering_instance_ids")) or [
        f"data.{name}" if wrapped else name
        for name in _texts(definition.get("partition_key_fields"))
    ]
    sequences = _texts(definition.get("ordering_key_fields")) or ["data.change.sequence"]
    return EventType(
        definition=definition,
        validator=_validator(definition),
        partitioner=partitioner(definition, partitions),
        log=kept,
        key_of=_extractor(keys),
        sequence_of=_extractor(sequences[-1:]),
    )


def _validator(definition: JsonObject) -> EventValidator | NoValidator:
    schema = definition["schema"]
    if isinstance(schema, dict) and is_avro(schema):
        return NoValidator(str(definition["name"]))
    return EventValidator(definition, schema_of(definition))


def schema_of(definition: JsonObject) -> JsonObject:
    """Return the schema that a definition carries as text."""
    schema = definition["schema"]
    if not isinstance(schema, dict) or is_avro(schema):
        return {}
    return parse_document(str(schema["schema"]))


def _texts(value: Json) -> list[str]:
    return [str(member) for member in value] if isinstance(value, list) else []


def _extractor(names: list[str]) -> Extractor:
    """Return a function from an event to the values at some paths: one as text, more as JSON."""
    paths = [name.split(".") for name in names]

    def extract(event: JsonObject) -> str:
        values: list[Json] = []
        for path in paths:
            value: Json = event
            for name in path:
                value = value.get(name) if isinstance(value, dict) else None
            values.append(value)
        if len(values) == 1:
            only = values[0]
            return only if isinstance(only, str) else json.dumps(only, separators=(",", ":"))
        return json.dumps(values, separators=(",", ":"), ensure_ascii=False)

    return extract
