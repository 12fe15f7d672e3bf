"""An event type's definition, as `GET /event-types/{name}` shows it, and whether our events fit.

Rules (of Nakadi, for category `data`)
- Only this category has the envelope of data changes. A compacted event type needs a key in each
  event's metadata, which our events do not have.
- `partition_key_fields` are looked up inside `data`; an event without one is refused.
- `ordering_key_fields` and `ordering_instance_ids` begin with `data.` or `metadata.`. They are not
  looked up when an event is published, only by readers.
- Every event, D included, must have the members that `schema.required` names.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import orjson

from consumer.core.event.event import Crossing, Layout
from consumer.core.preflight.check_result import CheckResult, Severity

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumer.core.event.event import EventFormat

DEPENDENCY: Final = "event type"
ITEM: Final = "item"
"""Member of `data` that holds the item in the nested layout."""


@dataclass(frozen=True, slots=True)
class EventDefinition:
    """The parts of a definition that matter here. Fields are paths inside `data`.

    `partition_key_fields` are as given, also where they begin with `data.` by mistake. `required`
    are the members that the schema requires. `closed` gives, for each member of `data` that is an
    object in which the schema allows no others, the names of its own members.
    """

    category: str
    cleanup_policy: str
    partition_strategy: str
    partition_key_fields: tuple[str, ...]
    ordering_fields: tuple[str, ...]
    required: tuple[str, ...]
    closed: Mapping[str, frozenset[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EventShape:
    """What our events have. `keys` are the table's key attributes, the partition key first.

    `whole_deletes`: a D event carries the item's last image, not only its keys. `crossings`: some
    events say that their item has entered or left what the event type shows.
    """

    form: EventFormat
    keys: tuple[str, ...]
    whole_deletes: bool
    crossings: bool = False

    def every_delete_has(self, field: str) -> bool:
        """Return whether every D event has this path inside `data`, whatever the item was."""
        return not self._lacks_in_deletes(field)

    def no_event_has(self, field: str) -> bool:
        """Return whether no event has this path. In the flat layout any attribute is possible."""
        known = {ITEM, self.form.change_field, self.form.patch_member}
        return self.form.layout is Layout.NESTED and field.split(".", maxsplit=1)[0] not in known

    def _lacks_in_deletes(self, field: str) -> bool:
        path = field.split(".")
        if path[0] == self.form.change_field:
            return path[1:] not in ([], ["sequence"])
        if path[0] == self.form.patch_member:
            return True
        if self.whole_deletes:
            return False
        if self.form.layout is Layout.NESTED:
            return path != [ITEM] and (path[:1] != [ITEM] or ".".join(path[1:]) not in self.keys)
        return field not in self.keys


def parse_definition(body: bytes) -> EventDefinition | None:
    """Return the definition in a body, None if it is not that of an event type."""
    try:
        found: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("category"), str):
        return None
    schema = _root(found.get("schema"))
    return EventDefinition(
        found["category"],
        _text(found.get("cleanup_policy")) or "delete",
        _text(found.get("partition_strategy")) or "random",
        _texts(found.get("partition_key_fields")),
        tuple(
            name.removeprefix("data.")
            for member in ("ordering_key_fields", "ordering_instance_ids")
            for name in _texts(found.get(member))
            if not name.startswith("metadata.")
        ),
        _required(schema),
        _closed(schema, found.get("compatibility_mode")),
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


def judge(name: str, definition: EventDefinition, shape: EventShape | None) -> list[CheckResult]:
    """Return what the operator should know; `name` is that of the event type.

    Without a `shape` (the table is unknown) the results are those that hold for any event.
    """
    found = list(_unfit(definition))
    if shape is not None:
        found += _fields(definition, shape)
        found += _gaps(definition, shape)
        found += _shut_out(definition, shape)
    if definition.partition_strategy == "random":
        remedy = "choose strategy hash with the table's partition key, if readers need an order"
        found.append((Severity.DOUBTFUL, "partition_strategy random keeps no order", remedy))
    if not found:
        found.append((Severity.FINE, "category data", ""))
    return [
        CheckResult(DEPENDENCY, severity, f"{name}: {result}", remedy)
        for severity, result, remedy in found
    ]


_Found = tuple[Severity, str, str]


def _unfit(definition: EventDefinition) -> Iterable[_Found]:
    if definition.category != "data":
        result = f"category {definition.category} has no envelope for changes"
        yield Severity.WRONG, result, "choose one of category data"
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
    doubled = [field for field in partition if _inside(field) in shape.keys]
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
            remedy = f"in the nested layout attributes are under {ITEM}: {ITEM}.{absent[0]}"
            yield severity, f"{what} {', '.join(absent)} are in no event", remedy
        if lacking:
            result = f"{what} {', '.join(lacking)} are not in every D event"
            yield severity, result, _deletes_remedy(shape)


def _inside(field: str) -> str | None:
    """Return what follows `data.` in a path that begins with it, else None."""
    return field.removeprefix("data.") if field.startswith("data.") else None


def _gaps(definition: EventDefinition, shape: EventShape) -> Iterable[_Found]:
    """Yield the required members that some events lack: those events would be refused."""
    lacking = [
        field
        for field in definition.required
        if shape.no_event_has(field) or not shape.every_delete_has(field)
    ]
    if lacking:
        names = ", ".join(lacking)
        result = f"the schema requires {names}, which some events lack, D events above all"
        yield Severity.DOUBTFUL, result, _deletes_remedy(shape)


def _shut_out(definition: EventDefinition, shape: EventShape) -> Iterable[_Found]:
    """Yield what the schema leaves no room for: such events would be refused."""
    name = shape.form.change_field
    room = definition.closed.get(name)
    if not shape.crossings or room is None:
        return
    lacking = [crossing.value for crossing in Crossing if crossing not in room]
    if lacking:
        result = f"the schema's {name} has no {' and no '.join(lacking)}, which a filter needs"
        remedy = ", ".join(f'"{each}": {{"type": "boolean"}}' for each in lacking)
        yield Severity.WRONG, result, f"add to its properties: {remedy}"


def _deletes_remedy(shape: EventShape) -> str:
    keys = ", ".join(shape.keys)
    if shape.whole_deletes:
        return f"use the table's key ({keys})"
    return f"use the table's key ({keys}), or a stream with old images (NEW_AND_OLD_IMAGES)"


def _required(schema: dict[str, object]) -> tuple[str, ...]:
    """Return the required members of `data` and, if its member `item` is required, of that."""
    top = _texts(schema.get("required"))
    members = schema.get("properties")
    item = members.get(ITEM) if isinstance(members, dict) and ITEM in top else None
    inner = _texts(item.get("required")) if isinstance(item, dict) else ()
    return (*top, *(f"{ITEM}.{name}" for name in inner))


def _closed(schema: dict[str, object], mode: object) -> dict[str, frozenset[str]]:
    """Return the members of `data` that are closed objects, with the names of their own members.

    The mode `compatible` closes every object that lists its members.
    """
    members = schema.get("properties")
    found = members.items() if isinstance(members, dict) else ()
    return {
        name: frozenset(inner)
        for name, member in found
        if isinstance(member, dict)
        and isinstance(inner := member.get("properties", {}), dict)
        and (member.get("additionalProperties") is False or (inner and mode == "compatible"))
    }


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
