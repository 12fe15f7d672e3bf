"""Reads of an image only the leaves that filters name; msgspec skips all else.

The places become Structs: one for the attributes of an item or a map, one for the types of a value.
What is not there is read as an empty Struct, so that one `attrgetter` leads to every leaf.
"""

from __future__ import annotations

from operator import attrgetter
from types import GenericAlias
from typing import TYPE_CHECKING, Final, cast

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, defstruct, json

from consumer.core.event.malformed import MalformedItem

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from consumer.core.routes.filters.place import Place
    from consumer.core.routes.filters.record_members import Get

Indices = tuple[int, ...]
"""Which element of each list on the way to a leaf, the outermost first."""

_TYPES: Final[Mapping[str, type | GenericAlias]] = {
    **dict.fromkeys(("S", "N", "B"), str),
    **dict.fromkeys(("SS", "NS", "BS"), GenericAlias(list, (str,))),
    **dict.fromkeys(("BOOL", "NULL"), bool),
}
"""Of leaves."""


class _Tree(dict[str, "_Tree"]):
    """What is read: of an item by attribute, of a value by type, of a leaf nothing more."""


class ImageReader:
    """Reads images, or `Keys`, for all places of one source."""

    def __init__(self, name: str, places: Iterable[Place]) -> None:
        self._name = name
        self._fields: dict[str, str] = {}  # of Structs, by the name of the attribute
        item = _Tree()
        for place in places:
            _add(item, place)
        made = self._item(item)
        self.decode = json.Decoder(made).decode
        self.absent: Struct = made()

    def read(self, text: Raw | None) -> Struct:
        """Return the image whose JSON is `text`. Raise MalformedItem."""
        if text is None:
            return self.absent
        try:
            return self.decode(text)
        except DecodeError as error:
            raise MalformedItem(f"{self._name}: {error}") from None
        except RecursionError:
            raise MalformedItem(f"{self._name} is nested too deeply") from None

    def getters(self, place: Place) -> tuple[Get, ...]:
        """Return what leads to a place: from the image, then from an element of each list."""
        parts: list[str] = []
        getters: list[Get] = []
        for step in place.steps:
            parts.append(self._fields[step.name])
            for kind in step.types:
                parts.append(kind)
                if kind == "L":
                    getters.append(attrgetter(".".join(parts)))
                    parts.clear()
        return (*getters, attrgetter(".".join(parts)))

    def _item(self, attributes: _Tree) -> type[Struct]:
        fields = []
        names = {}
        for name, values in attributes.items():
            field = self._fields.setdefault(name, f"a{len(self._fields)}")
            names[field] = name
            value = self._value(values)
            fields.append((field, value, value()))
        return defstruct("Item", fields, rename=names, frozen=True, gc=False)

    def _value(self, values: _Tree) -> type[Struct]:
        fields: list[tuple[str, type, object]] = []
        for kind, below in values.items():
            if kind == "M":
                made = self._item(below)
                fields.append((kind, made, made()))
            else:
                leaf_or_list = _TYPES.get(kind) or GenericAlias(list, (self._value(below),))
                fields.append((kind, cast("type", leaf_or_list | UnsetType), UNSET))
        return defstruct("Value", fields, frozen=True, gc=False)


def leaves(part: object, getters: tuple[Get, ...]) -> list[tuple[object, Indices]]:
    """Return the scalars of a place that getters lead to, each with the elements it is in."""
    *to_lists, to_leaf = getters
    inside: list[tuple[object, Indices]] = [(part, ())]
    for get in to_lists:
        inside = [
            (element, (*indices, index))
            for each, indices in inside
            for index, element in enumerate(_listed(get(each)))
        ]
    found: list[tuple[object, Indices]] = []
    for each, indices in inside:
        leaf = to_leaf(each)
        if isinstance(leaf, list):
            found += [(text, indices) for text in leaf]
        elif leaf is not UNSET:
            found.append((leaf, indices))
    return found


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _add(item: _Tree, place: Place) -> None:
    attributes = item
    for step in place.steps:
        values = attributes.setdefault(step.name, _Tree())
        for kind in step.types[:-1]:
            values = values.setdefault(kind, _Tree())
        if step.types[-1] == "M":
            attributes = values.setdefault("M", _Tree())
        else:
            values[step.types[-1]] = _Tree()
