"""A draft of an event type's definition that takes our events, for `POST /event-types`.

Nakadi's rules for category `data`: fields of the partition key are named without `data.`, those of
the ordering with it, and the latter must be in the schema. The compatibility mode is `forward`,
because `compatible` closes every part of a schema, also the free-form value of a patch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from consumer.core.event.event import Crossing, Layout
from consumer.core.preflight.event_definition import ITEM

if TYPE_CHECKING:
    from consumer.core.event.event import EventFormat

PARTITIONS = 8

_PATCH = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["op", "path"],
        "properties": {"op": {"type": "string"}, "path": {"type": "string"}},
    },
}
_CHANGE = {
    "sequence": {"type": "string"},
    "ttl": {"type": "boolean"},
    "patch_omitted": {"type": "boolean"},
}


def draft(
    name: str,
    application: str,
    form: EventFormat,
    keys: tuple[str, ...],
    *,
    crossings: bool = False,
) -> bytes:
    """Return the definition as JSON text.

    `crossings`: items enter and leave what the event type shows, and events say so. `keys` are the
    table's key attributes, the partition key first. They are assumed to be strings; the schema does
    not restrict other attributes.
    """
    prefix = f"{ITEM}." if form.layout is Layout.NESTED else ""
    definition = {
        "name": name,
        "owning_application": application,
        "category": "data",
        "enrichment_strategies": ["metadata_enrichment"],
        "partition_strategy": "hash",
        "partition_key_fields": [prefix + keys[0]],
        "ordering_key_fields": [f"data.{form.change_field}.sequence"],
        "ordering_instance_ids": [f"data.{prefix}{key}" for key in keys],
        "cleanup_policy": "delete",
        "compatibility_mode": "forward",
        "default_statistic": {
            "messages_per_minute": 1000,
            "message_size": 1000,
            "read_parallelism": PARTITIONS,
            "write_parallelism": PARTITIONS,
        },
        "schema": {
            "type": "json_schema",
            "schema": orjson.dumps(_schema(form, keys, crossings=crossings)).decode(),
        },
    }
    return orjson.dumps(definition, option=orjson.OPT_INDENT_2)


def _schema(form: EventFormat, keys: tuple[str, ...], *, crossings: bool) -> dict[str, object]:
    item: dict[str, object] = {key: {"type": "string"} for key in keys}
    change = dict(_CHANGE)
    change |= {crossing.value: {"type": "boolean"} for crossing in Crossing if crossings}
    around: dict[str, object] = {
        form.change_field: {"type": "object", "required": ["sequence"], "properties": change}
    }
    if form.patch:
        around[form.patch_field] = _PATCH
    if form.layout is Layout.NESTED:
        nested = {ITEM: {"type": "object", "required": list(keys), "properties": item}}
        return _object([ITEM, form.change_field], nested | around)
    return _object([*keys, form.change_field], item | around)


def _object(required: list[str], properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "required": required, "properties": properties}
