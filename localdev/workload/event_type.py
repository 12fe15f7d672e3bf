"""The event type of the orders' changes, as a team would define it."""

import json

_SCHEMA = {
    "type": "object",
    "required": ["order_id"],
    "properties": {
        "order_id": {"type": "string"},
        "status": {"type": "string"},
        "amount": {"type": "number"},
        "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        "patch": {"type": "array", "items": {"type": "object", "required": ["op", "path"]}},
        "change": {
            "type": "object",
            "required": ["sequence"],
            "properties": {"sequence": {"type": "string"}},
        },
    },
}


def event_type(name: str) -> dict[str, object]:
    """Return the definition to POST to /event-types: 8 partitions, ordered by order."""
    return {
        "name": name,
        "owning_application": "order-store",
        "category": "data",
        "enrichment_strategies": ["metadata_enrichment"],
        "partition_strategy": "hash",
        "partition_key_fields": ["order_id"],
        "ordering_key_fields": ["data.change.sequence"],
        "ordering_instance_ids": ["data.order_id"],
        "compatibility_mode": "forward",
        "default_statistic": {
            "messages_per_minute": 1000,
            "message_size": 1000,
            "read_parallelism": 8,
            "write_parallelism": 8,
        },
        "schema": {"type": "json_schema", "schema": json.dumps(_SCHEMA)},
    }
