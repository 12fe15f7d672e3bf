"""Reads of an image only the leaves that filters name; msgspec skips all else.

The places become Structs: one for the attributes of an item or a map, one for the types of a value.
What is not there is read as an empty Struct, so that one `attrgetter` leads to every leaf.
"""

from __future__ import annotations

from functools import reduce
from operator import attrgetter
from types import GenericAlias
from typing import TYPE_CHECKING, Final, cast

from msgspec import UNSET, DecodeError, Raw, UnsetType, defstruct, json

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import is_no_field
from consumer.core.routes.language.scalar import SETS_OF_TEXTS, SINGLE_TEXTS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from msgspec import Struct

    from consumer.core.routes.filters.place import Place
    from consumer.core.routes.filters.record_members import Get

Indices = tuple[int, ...]
"""Which element of each list on the way to a leaf, the outermost first."""

_TYPES: Final[Mapping[str, type | GenericAlias]] = {
    **dict.fromkeys(SINGLE_TEXTS, str),
    **dict.fromkeys(SETS_OF_TEXTS, GenericAlias(list, (str,))),
    **dict.fromkeys(("BOOL", "NULL"), bool),
}
"""Of leaves."""


class _Tree(dict[str, "_Tree"]):
    """What is read: of an item by attribute, of a value by type, of a leaf nothing more."""


class ImageReader:
    """Reads images, or `Keys`, for all places of one source."""

    def __init__(self, name: str, places: Iterable[Place]) -> None:
        self._name = name
        tree = _Tree()
        for place in places:
            _add(tree, place)
        self._item = _Item(tree)
        self.decode: Callable[[Raw], object] = json.Decoder(self._item.read_as).decode
        self.absent = self._item.absent

    def read(self, text: Raw | None) -> object:
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
        getters: list[Get] = []
        parts: list[str | Get] = []
        item = self._item
        for step in place.steps:
            part, value = item.attribute(step.name)
            parts.append(part)
            for kind in step.types:
                parts.append(kind)
                if kind == "L":
                    getters.append(_joined(parts))
                    parts = []
                    value = value.elements
            if step.types[-1] == "M":
                item = value.map
        return (*getters, _joined(parts))


class _Item:
    """How the attributes of an item or a map are read: as a Struct, whose fields are numbered.

    msgspec takes no name with a quote, a backslash or a control character for a field. If there is
    one, the attributes are read as a dict, in which every value may have what any of them may have.
    """

    _values: dict[str, _Value]
    read_as: type | GenericAlias
    absent: object

    def __init__(self, tree: _Tree) -> None:
        self._fields: dict[str, str] = {}
        if any(map(is_no_field, tree)):
            value = _Value(_merged(tree.values()))
            self._values = dict.fromkeys(tree, value)
            self.read_as, self.absent = GenericAlias(dict, (str, value.read_as)), {}
            return
        self._values = {name: _Value(below) for name, below in tree.items()}
        self._fields = {name: f"a{number}" for number, name in enumerate(tree)}
        fields = [
            (self._fields[name], value.read_as, value.absent)
            for name, value in self._values.items()
        ]
        names = {field: name for name, field in self._fields.items()}
        made = defstruct("Item", fields, rename=names, frozen=True, gc=False)
        self.read_as, self.absent = made, made()

    def attribute(self, name: str) -> tuple[str | Get, _Value]:
        """Return the field of an attribute, or what gets it out of a dict, and its value."""
        value = self._values[name]
        if name in self._fields:
            return self._fields[name], value
        absent = value.absent
        return lambda item: item.get(name, absent) if isinstance(item, dict) else absent, value


class _Value:
    """How an attribute value is read: as a Struct with a field for each of its types."""

    read_as: type[Struct]
    absent: Struct
    map: _Item  # if the type M is read
    elements: _Value  # if the type L is read

    def __init__(self, tree: _Tree) -> None:
        fields: list[tuple[str, type, object]] = []
        for kind, below in tree.items():
            if kind == "M":
                self.map = _Item(below)
                fields.append((kind, cast("type", self.map.read_as), self.map.absent))
            elif kind == "L":
                self.elements = _Value(below)
                elements = GenericAlias(list, (self.elements.read_as,))
                fields.append((kind, cast("type", elements | UnsetType), UNSET))
            else:
                fields.append((kind, cast("type", _TYPES[kind] | UnsetType), UNSET))
        self.read_as = defstruct("Value", fields, frozen=True, gc=False)
        self.absent = self.read_as()


def _joined(parts: Sequence[str | Get]) -> Get:
    """Return the getter that follows fields and getters one after the other."""
    getters: list[Get] = []
    fields: list[str] = []
    for part in parts:
        if isinstance(part, str):
            fields.append(part)
        else:  # it follows a type, or nothing
            getters += [attrgetter(".".join(fields)), part] if fields else [part]
            fields = []
    getters.append(attrgetter(".".join(fields)))  # the type of a leaf or list is the last
    if len(getters) == 1:
        return getters[0]
    return lambda part: reduce(lambda found, get: get(found), getters, part)


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


def _merged(trees: Iterable[_Tree]) -> _Tree:
    merged = _Tree()
    for tree in trees:
        for name, below in tree.items():
            merged[name] = _merged((merged.get(name, _Tree()), below))
    return merged
