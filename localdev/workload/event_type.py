"""The event types of the workloads, as a team would define them."""

import json
from collections.abc import Mapping

SHOP_EVENT_TYPES = {"shop.order": "order_id", "shop.customer": "customer_id"}
"""Those of `routes.yaml`, each with the member by which its events are partitioned and ordered."""

_STRING = {"type": "string"}
_PATCH = {"type": "array", "items": {"type": "object", "required": ["op", "path"]}}
_ORDER = {
    "status": _STRING,
    "amount": {"type": "number"},
    "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
}
_BOOLEAN = {"type": "boolean"}
_CHANGE = {
    "sequence": _STRING,
    "stream": _STRING,
    "snapshot": _STRING,
    "read_at": _STRING,
    "touched": _BOOLEAN,
}
_CROSSING = {"entered": _BOOLEAN, "left": _BOOLEAN}


def event_type(name: str) -> dict[str, object]:
    """Return the definition to POST to /event-types: 8 partitions, ordered by order."""
    return _definition(name, "order_id", _ORDER, {})


def shop_event_types() -> list[dict[str, object]]:
    """Return the definitions of the event types to which one table's items go."""
    return [_definition(name, key, {}, _CROSSING) for name, key in SHOP_EVENT_TYPES.items()]


def _definition(
    name: str, key: str, properties: Mapping[str, object], change: Mapping[str, object]
) -> dict[str, object]:
    schema = {
        "type": "object",
        "required": [key],
        "properties": {
            key: _STRING,
            **properties,
            "patch": _PATCH,
            "change": {
                "type": "object",
                "required": ["sequence"],
                "properties": {**_CHANGE, **change},
            },
        },
    }
    return {
        "name": name,
        "owning_application": "order-store",
        "category": "data",
        "enrichment_strategies": ["metadata_enrichment"],
        "partition_strategy": "hash",
        "partition_key_fields": [key],
        "ordering_key_fields": ["data.change.stream", "data.change.sequence"],
        "ordering_instance_ids": [f"data.{key}"],
        "compatibility_mode": "forward",
        "default_statistic": {
            "messages_per_minute": 1000,
            "message_size": 1000,
            "read_parallelism": 8,
            "write_parallelism": 8,
        },
        "schema": {"type": "json_schema", "schema": json.dumps(schema)},
    }
