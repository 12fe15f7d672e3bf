"""A draft of an event type's definition that takes our events, for `POST /event-types`.

Nakadi's rules for category `data`: fields of the partition key are named without `data.`, those of
the ordering with it, and the latter must be in the schema. A business event has no `data`. The
compatibility mode is `forward`, because `compatible` closes every part of a schema, also the
free-form value of a patch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from consumer.core.event.event import Category, Layout
from consumer.core.preflight.change_members import (
    OF_CHANGES,
    OF_COMMANDS,
    OF_VIEWS,
    PLACE,
    SEQUENCE,
    STREAM,
    types_of,
)
from consumer.core.preflight.event_shape import ITEM

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
    table's key attributes, the partition key first. Those that are shown are assumed to be strings;
    the schema does not restrict other attributes, nor name them.
    """
    is_data = form.category is Category.DATA
    shown = _shown(form, keys)
    data = "data." if is_data else ""
    prefix = f"{ITEM}." if form.layout is Layout.NESTED else ""
    change = [
        f"{data}{form.change_member}.{member}"
        for member in (STREAM, SEQUENCE)
        if form.change_member is not None
    ]
    definition = {
        "name": name,
        "owning_application": application,
        "category": form.category.value,
        "enrichment_strategies": ["metadata_enrichment"],
        "partition_strategy": "hash" if shown else "random",
        "partition_key_fields": [prefix + key for key in shown[:1]],
        "ordering_key_fields": change,
        "ordering_instance_ids": [f"{data}{prefix}{key}" for key in shown if change],
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
            "schema": orjson.dumps(_schema(form, shown, crossings=crossings)).decode(),
        },
    }
    return orjson.dumps(definition, option=orjson.OPT_INDENT_2)


def notes(form: EventFormat, keys: tuple[str, ...]) -> list[str]:
    """Return what a person has to look at in the draft for these events."""
    shown = _shown(form, keys)
    found = [
        f"key attribute {key!r}: Nakadi takes the dot for a path and finds no such field; neither"
        " partition_key_fields nor ordering_instance_ids can name it"
        for key in shown
        if "." in key
    ]
    if form.body is not None:
        found.append(
            f"the event is what is in {form.body}, which is assumed to have the table's key"
            f" ({', '.join(shown)}): correct the partition_key_fields and the schema"
        )
    elif not shown:
        found.append(
            "the route shows no key attribute, so partition_strategy is random and keeps no order:"
            " partition by what it shows of the key"
        )
    elif form.key_name(keys[0]) is None:
        found.append(
            f"the route hides the partition key {keys[0]}: readers have an order only if"
            f" partition_key_fields ({shown[0]}) are made of what identifies the key"
        )
    return found


def _shown(form: EventFormat, keys: tuple[str, ...]) -> tuple[str, ...]:
    """Return the key attributes by the names that are shown; of a map in the item, the table's."""
    if form.body is not None:
        return keys
    return tuple(name for key in keys if (name := form.key_name(key)) is not None)


def _schema(form: EventFormat, keys: tuple[str, ...], *, crossings: bool) -> dict[str, object]:
    item: dict[str, object] = {key: {"type": "string"} for key in keys}
    change = [*PLACE]
    if form.category is Category.DATA:
        change += [*OF_CHANGES, *(OF_VIEWS if crossings else ()), *OF_COMMANDS]
    around: dict[str, object] = {}
    if form.change_member is not None:
        around[form.change_member] = {
            "type": "object",
            "required": [SEQUENCE],
            "properties": {name: {"type": kind} for name, kind in types_of(change).items()},
        }
    required = [*around]
    if form.patch:
        around[form.patch_field] = _PATCH
    if form.layout is Layout.NESTED:
        nested = {ITEM: {"type": "object", "required": list(keys), "properties": item}}
        return _object([ITEM, *required], nested | around)
    return _object([*keys, *required], item | around)


def _object(required: list[str], properties: dict[str, object]) -> dict[str, object]:
    return {"type": "object", "required": required, "properties": properties}
