"""Validates an event by its event type's effective schema."""

from __future__ import annotations

from typing import TYPE_CHECKING

from localdev.nakadi.schema import occurred_at
from localdev.nakadi.schema.effective_schema import effective_schema
from localdev.nakadi.schema.json_schema import validator_of
from localdev.nakadi.schema.quick_check import compile_check
from localdev.nakadi.schema.schema_keywords import drop_unread
from localdev.nakadi.schema.violation import describe

if TYPE_CHECKING:
    from localdev.nakadi.json_value import JsonObject


class EventValidator:
    """A validator, compiled once for each version of an event type."""

    def __init__(self, definition: JsonObject, schema: JsonObject) -> None:
        effective = effective_schema(definition, schema)
        drop_unread(effective)
        self._quick = compile_check(effective)
        self._complete = validator_of(effective)
        self._has_metadata = definition.get("category") != "undefined"

    def complaint(self, event: JsonObject) -> str | None:
        """Return what is wrong with an event, None if nothing is."""
        if self._quick is None or not self._quick(event):
            found = describe(self._complete.iter_errors(event))
            if found is not None:
                return found
        return self._occurred_at(event) if self._has_metadata else None

    def _occurred_at(self, event: JsonObject) -> str | None:
        metadata = event.get("metadata")
        text = metadata.get("occurred_at") if isinstance(metadata, dict) else None
        fault = occurred_at.complaint(text) if isinstance(text, str) else None
        return None if fault is None else f"#/metadata/occurred_at:{fault}"
