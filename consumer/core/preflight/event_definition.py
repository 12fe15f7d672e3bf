"""An event type's definition, as `GET /event-types/{name}` shows it, and whether our events fit.

Rules (of Nakadi)
- Only the category `data` has the envelope of data changes, and only `business` does without. A
  compacted event type needs a key in each event's metadata, which our events do not have.
- `partition_key_fields` are looked up inside `data`; an event without one is refused.
- `ordering_key_fields` and `ordering_instance_ids` begin with `data.` or `metadata.`. They are not
  looked up when an event is published, only by readers.
- Every event, D included, must have the members that `schema.required` names.
- A business event has no `data`: all fields are looked up in the event itself.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson

from consumer.core.event.event import Category
from consumer.core.preflight.change_members import (
    OF_COMMANDS,
    OF_VIEWS,
    PLACE,
    SEQUENCE,
    STREAM,
    types_of,
)
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.core.preflight.event_shape import ITEM
from consumer.core.preflight.schema_room import SchemaRoom

if TYPE_CHECKING:
    from collections.abc import Iterable

    from consumer.core.preflight.event_shape import EventShape
    from consumer.core.preflight.schema_room import Value

DEPENDENCY: Final = "event type"


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """The parts of a definition that matter here. Fields are paths inside `data`, if there is one.

    `partition_key_fields` are as given, also where they begin with `data.` by mistake. `required`
    are the members that the schema requires, and `room` is what it leaves room for.
    """

    category: str
    cleanup_policy: str
    partition_strategy: str
    partition_key_fields: tuple[str, ...]
    ordering_fields: tuple[str, ...]
    required: tuple[str, ...]
    room: SchemaRoom = field(default=SchemaRoom({}), compare=False)


def parse_definition(body: bytes) -> EventDefinition | None:
    """Return the definition in a body, None if it is not that of an event type."""
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("category"), str):
        return None
    schema = _root(found.get("schema"))
    prefix = "" if found["category"] == Category.BUSINESS else "data."
    return EventDefinition(
        found["category"],
        _text(found.get("cleanup_policy")) or "delete",
        _text(found.get("partition_strategy")) or "random",
        _texts(found.get("partition_key_fields")),
        tuple(
            name.removeprefix(prefix)
            for member in ("ordering_key_fields", "ordering_instance_ids")
            for name in _texts(found.get(member))
            if not name.startswith("metadata.")
        ),
        _required(schema),
        SchemaRoom(schema, compatible=found.get("compatibility_mode") == "compatible"),
    )


def partition_names(body: bytes) -> tuple[str, ...]:
    """Return the partitions in an answer to `GET /event-types/{name}/partitions`, else ()."""
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ()
    if not isinstance(found, list):
        return ()
    return _texts([each.get("partition") for each in found if isinstance(each, dict)])


def judge(
    name: str,
    definition: EventDefinition,
    shape: EventShape | None,
    category: Category = Category.DATA,
) -> list[CheckResult]:
    """Return what the operator should know; `name` is how the lines name the event type.

    `category` is that of our events. Without a `shape` (the table is unknown) the results are those
    that hold for any event.
    """
    found = list(_unfit(definition, category))
    if shape is not None:
        found += _fields(definition, shape)
        found += _gaps(definition, shape)
        found += _shut_out(definition, shape)
        found += _no_order(definition, shape)
    if definition.partition_strategy == "random":
        remedy = "choose strategy hash with the table's partition key, if readers need an order"
        found.append((Severity.DOUBTFUL, "partition_strategy random keeps no order", remedy))
    if not found:
        found.append((Severity.FINE, f"category {category}", ""))
    return [
        CheckResult(DEPENDENCY, severity, f"{name}: {result}", remedy)
        for severity, result, remedy in found
    ]


_Found = tuple[Severity, str, str]


def _unfit(definition: EventDefinition, category: Category) -> Iterable[_Found]:
    if definition.category != category:
        result = f"category {definition.category} has no envelope for changes"
        if category is Category.BUSINESS:
            result = f"category {definition.category} takes no business events"
        yield Severity.WRONG, result, f"choose one of category {category}"
    if "compact" in definition.cleanup_policy:
        result = "compacted: it needs a partition_compaction_key, which these events lack"
        yield Severity.WRONG, result, "choose one with cleanup_policy delete"
    if definition.partition_strategy == "user_defined":
        result = "partition_strategy user_defined needs metadata.partition, which these events lack"
        yield Severity.WRONG, result, "choose strategy hash with the table's partition key"


def _fields(definition: EventDefinition, shape: EventShape) -> Iterable[_Found]:
    """Yield what is wrong with the fields for partitioning and ordering.

    An event without a field of the partition key is refused; only readers miss the others.
    """
    partition = definition.partition_key_fields if definition.partition_strategy == "hash" else ()
    keys = () if shape.is_business else shape.shown_keys
    doubled = [field for field in partition if _inside(field) in keys]
    if doubled:
        result = f"partition_key_fields {', '.join(doubled)} are looked up inside data"
        yield Severity.WRONG, result, f"leave data. out: {_inside(doubled[0])}"
    others = tuple(field for field in partition if field not in doubled)
    for what, severity, fields in (
        ("partition_key_fields", Severity.WRONG, others),
        ("ordering fields", Severity.DOUBTFUL, definition.ordering_fields),
    ):
        absent = [field for field in fields if shape.no_event_has(field)]
        lacking = [
            field for field in fields if field not in absent and not shape.every_delete_has(field)
        ]
        if absent:
            result = f"{what} {', '.join(absent)} are in no event"
            yield severity, result, shape.why_absent(absent[0]) or ""
        if lacking:
            every = "every event" if shape.is_business else "every D event"
            result = f"{what} {', '.join(lacking)} are not in {every}"
            yield severity, result, _deletes_remedy(shape)
    place = [f"{shape.form.change_member}.{member}" for member in (STREAM, SEQUENCE)]
    if place[1] in definition.ordering_fields and place[0] not in definition.ordering_fields:
        result = f"ordering_key_fields have {place[1]} only, which may begin lower in a new stream"
        around = "" if shape.is_business else "data."
        both = ", ".join(f'"{around}{each}"' for each in place)
        yield Severity.DOUBTFUL, result, f"name both, and both in the schema: [{both}]"


def _inside(field: str) -> str | None:
    """Return what follows `data.` in a path that begins with it, else None."""
    return field.removeprefix("data.") if field.startswith("data.") else None


def _gaps(definition: EventDefinition, shape: EventShape) -> Iterable[_Found]:
    """Yield the required members that some events lack: those events would be refused."""
    hidden = [field for field in definition.required if shape.hides(field)]
    if hidden:
        result = f"the schema requires {', '.join(hidden)}, which no event has"
        yield Severity.WRONG, result, shape.why_absent(hidden[0]) or ""
    lacking = [
        field
        for field in definition.required
        if field not in hidden and (shape.no_event_has(field) or not shape.every_delete_has(field))
    ]
    if lacking:
        names = ", ".join(lacking)
        above_all = "" if shape.is_business else ", D events above all"
        result = f"the schema requires {names}, which some events lack{above_all}"
        yield Severity.DOUBTFUL, result, _deletes_remedy(shape)


def _no_order(definition: EventDefinition, shape: EventShape) -> Iterable[_Found]:
    """Yield that readers have no order where the partition key of the table is not shown."""
    if definition.partition_strategy == "hash" and shape.hides_partition_key:
        fields = ", ".join(definition.partition_key_fields)
        result = (
            f"the route hides the partition key {shape.keys[0]}: readers have no order, unless"
            f" partition_key_fields ({fields}) are made of what else identifies the key"
        )
        remedy = f"show {shape.keys[0]}, or partition by what is the same in all events of a key"
        yield Severity.DOUBTFUL, result, remedy


def shut_out(definition: EventDefinition, shape: EventShape) -> tuple[str, ...]:
    """Return the members of `change` that the schema leaves no room for, `stream` first.

    They are those of changes, and of what commands send again.
    """
    name = shape.form.change_member
    if name is None:
        return ()
    members: dict[str, Value] = {STREAM: shape.form.stream_prefix + PLACE[STREAM]}
    if shape.crossings:
        members |= OF_VIEWS
    if not shape.is_business:
        members |= OF_COMMANDS
    return definition.room.lacking(name, {SEQUENCE: PLACE[SEQUENCE]}, members)


def _shut_out(definition: EventDefinition, shape: EventShape) -> Iterable[_Found]:
    """Yield what the schema leaves no room for: such events would be refused."""
    name = shape.form.change_member
    lacking = shut_out(definition, shape)
    if not lacking:
        return
    named = ", ".join(f'"{each}": {{"type": "{kind}"}}' for each, kind in types_of(lacking).items())
    remedy = f"add to its properties: {named}"
    needed = [each for each in lacking if each not in OF_COMMANDS]
    if needed:
        result = f"the schema's {name} has no {' and no '.join(needed)}, which events have"
        yield Severity.WRONG, result, remedy
    else:
        result = (
            f"the schema's {name} has no {' and no '.join(lacking)}, which events have that are"
            " sent again"
        )
        yield Severity.DOUBTFUL, result, remedy


def _deletes_remedy(shape: EventShape) -> str:
    keys = ", ".join(shape.shown_keys) or "let the route show it"
    if shape.whole_deletes or shape.is_business:
        return f"use the table's key ({keys})"
    return f"use the table's key ({keys}), or a stream with old images (NEW_AND_OLD_IMAGES)"


def _required(schema: dict[str, object]) -> tuple[str, ...]:
    """Return the required members of `data` and, if its member `item` is required, of that."""
    top = _texts(schema.get("required"))
    members = schema.get("properties")
    item = members.get(ITEM) if isinstance(members, dict) and ITEM in top else None
    inner = _texts(item.get("required")) if isinstance(item, dict) else ()
    return (*top, *(f"{ITEM}.{name}" for name in inner))


def _root(schema: object) -> dict[str, object]:
    """Return the JSON schema in a definition, empty if it has none that is an object."""
    text = schema.get("schema") if isinstance(schema, dict) else None
    try:
        root: object = orjson.loads(text) if isinstance(text, str) else None
    except orjson.JSONDecodeError:
        return {}
    return root if isinstance(root, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return ()
    return tuple(name for name in value if isinstance(name, str))
