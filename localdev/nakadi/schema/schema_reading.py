"""What the server's library reads of a schema: one keyword decides its kind, the rest is ignored.

A schema with `enum` is nothing but its values, one with `type` is not looked at for `not`. Taking
away what is not read lets a complete JSON Schema library judge as that library does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from localdev.nakadi.schema.schema_kind import CRITERIA, KEYWORDS, TYPES, Kind, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

    from localdev.nakadi.json_value import Json, JsonObject

# An `id` is no base for references here: they are all looked up in the whole document.
_ALWAYS = frozenset({"$schema", "title", "description", "default", "definitions"})
_BY_KIND: Mapping[Kind, AbstractSet[str]] = {
    **KEYWORDS,
    Kind.ENUM: frozenset({"enum"}),
    Kind.REFERENCE: frozenset({"$ref"}),
    Kind.NOT: frozenset({"not"}),
}
_NEWER: Mapping[Kind, AbstractSet[str]] = {
    Kind.OBJECT: frozenset({"propertyNames"}),
    Kind.ARRAY: frozenset({"contains"}),
}
_CONDITION = frozenset({"if", "then", "else"})


def keep_what_is_read(schema: JsonObject, draft: str) -> None:
    """Remove the keywords that a schema's kind does not read; schemas below stay as they are."""
    read = keywords_read(schema, draft) | _ALWAYS
    for keyword in [name for name in schema if name not in read]:
        del schema[keyword]


def keywords_read(schema: JsonObject, draft: str) -> AbstractSet[str]:
    """Return the keywords that count in a schema; not all of them need be there."""
    if "enum" in schema:
        return _BY_KIND[Kind.ENUM]
    if draft != "4" and "const" in schema:
        return frozenset({"const"})
    combining = CRITERIA & schema.keys()
    base = {name: value for name, value in schema.items() if name not in CRITERIA}
    if not combining and "$ref" in base:
        return _BY_KIND[Kind.REFERENCE]
    if combining:
        base = {name: value for name, value in base.items() if name not in ("$ref", "not")}
    if "type" in base:
        return combining | {"type"} | _of_types(base["type"], draft)
    return combining | _sniffed(base, draft)


def _of_types(named: Json, draft: str) -> AbstractSet[str]:
    names = named if isinstance(named, list) else [named]
    kinds = (TYPES.get(str(name), Kind.EMPTY) for name in names)
    return frozenset[str]().union(*(_of_kind(kind, draft) for kind in kinds))


def _of_kind(kind: Kind, draft: str) -> AbstractSet[str]:
    newer = frozenset[str]() if draft == "4" else _NEWER.get(kind, frozenset())
    return _BY_KIND.get(kind, frozenset()) | newer


def _sniffed(schema: JsonObject, draft: str) -> AbstractSet[str]:
    """Return what is read where no type is named."""
    if draft != "4":
        for kind, keywords in ((Kind.ARRAY, {"contains"}), (Kind.OBJECT, {"propertyNames"})):
            if keywords & schema.keys() and not (kind is Kind.OBJECT and _is_array(schema)):
                return _of_kind(kind, draft)
    kind = kind_of(schema)
    if kind in (Kind.EMPTY, Kind.NOT) and draft == "7" and _CONDITION & schema.keys():
        return _CONDITION
    return _of_kind(kind, draft)


def _is_array(schema: JsonObject) -> bool:
    return bool(_BY_KIND[Kind.ARRAY] & schema.keys())
