"""A filter: AWS Lambda's FilterCriteria for a stream, and our own paths below `item`.

One pattern, a list of patterns of which one must match, or `{"Filters": [{"Pattern": "…"}]}` as it
stands in an event source mapping. A filter with `item` is a view of the table.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.routes.filters.branch import Check, checks_of
from consumer.core.routes.filters.doubt import doubts_of
from consumer.core.routes.filters.place import IMAGES, Place, Source, place_of
from consumer.core.routes.language.bad_pattern import BadPattern, Doubt
from consumer.core.routes.language.json_tree import Members, read_json, shown, tree_of
from consumer.core.routes.language.pattern import Pattern, read_pattern
from consumer.core.stream.stream import ViewType

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

_FILTERS = "Filters"
_PATTERN = "Pattern"
_FORM = '{"Filters": [{"Pattern": "…"}]}'

_IMAGES: Mapping[ViewType, frozenset[Source]] = {
    ViewType.KEYS_ONLY: frozenset(),
    ViewType.NEW_IMAGE: frozenset({Source.NEW_IMAGE}),
    ViewType.OLD_IMAGE: frozenset({Source.OLD_IMAGE}),
    ViewType.NEW_AND_OLD_IMAGES: frozenset({Source.NEW_IMAGE, Source.OLD_IMAGE}),
}
"""What records of a stream carry beside the keys."""

_SEEN: Mapping[Source, frozenset[Source]] = {
    Source.MEMBERS: frozenset(),
    Source.KEYS: frozenset(),
    Source.NEW_IMAGE: frozenset({Source.NEW_IMAGE}),
    Source.OLD_IMAGE: frozenset({Source.OLD_IMAGE}),
    Source.ITEM: frozenset({Source.NEW_IMAGE, Source.OLD_IMAGE}),
}
"""What they must carry for a path of each source."""


class Filter(Struct, frozen=True, dict=True):
    """Patterns of which one must match; without any, every record does."""

    patterns: tuple[Pattern, ...]

    @cached_property
    def is_view(self) -> bool:
        """Whether it asks for `item`: then items enter and leave."""
        return any(place.source is Source.ITEM for _, place in self.places)

    @cached_property
    def is_by_keys(self) -> bool:
        """Whether it asks for keys only, or nothing: then an item is taken always, or never."""
        return all(place.source is Source.KEYS for _, place in self.places)

    @cached_property
    def places(self) -> tuple[tuple[str, Place], ...]:
        """The places in a record that its patterns name, each with the path that names it."""
        return tuple(
            (path, place)
            for pattern in self.patterns
            for branch in pattern.branches
            for path in branch
            if (place := place_of(path)) is not None
        )

    @cached_property
    def paths(self) -> tuple[AttributePath, ...]:
        """The attributes that it asks for, of any image, each once; their types are left out."""
        return tuple(
            dict.fromkeys(
                AttributePath(tuple(step.name for step in place.steps))
                for _, place in self.places
                if place.source in IMAGES
            )
        )

    @cached_property
    def doubts(self) -> tuple[Doubt, ...]:
        """What never matches, or always does; each once."""
        leaves = (
            leaf
            for pattern in self.patterns
            for branch in pattern.branches
            for leaf in branch.items()
        )
        return tuple(dict.fromkeys(doubt for leaf in leaves for doubt in doubts_of(*leaf)))

    @cached_property
    def drops_deletes(self) -> bool:
        """Whether it can match no REMOVE, because it asks for values of the new image."""
        ways = self.ways(Source.OLD_IMAGE)
        return bool(ways) and all(
            any(check.place.source is Source.NEW_IMAGE and not check.absent for check in checks)
            for checks in ways
        )

    def require(self, view_type: ViewType, key_names: Sequence[str]) -> None:
        """Raise BadPattern if records of this view type cannot answer the filter."""
        for path, place in self.places:
            source = place.source
            is_key = source is Source.ITEM and place.name in key_names
            if not is_key and not _SEEN[source] <= _IMAGES[view_type]:
                can = "can name key attributes only" if source is Source.ITEM else "is not there"
                raise BadPattern(
                    path, f"{source.value} {can}, because the stream's view type is {view_type}"
                )

    def items(self, key_names: Iterable[str]) -> tuple[Source, Source]:
        """Return what `item` means for the state after a change, and for the one before.

        The keys do for a filter that names nothing else: they are the same in both.
        """
        named = {place.name for _, place in self.places if place.source is Source.ITEM}
        if named <= set(key_names):
            return Source.KEYS, Source.KEYS
        return Source.NEW_IMAGE, Source.OLD_IMAGE

    def crosses(self, key_names: Iterable[str]) -> bool:
        """Return whether items enter and leave: it is a view, and not one by keys only."""
        after, before = self.items(key_names)
        return self.is_view and after is not before

    def ways(self, item: Source) -> list[tuple[Check, ...]]:
        """Return the ways in which it can match, where `item` means this image."""
        if not self.patterns:
            return [()]
        branches = [branch for pattern in self.patterns for branch in pattern.branches]
        found = (checks_of(branch, item) for branch in branches)
        return [checks for checks in found if checks is not None]


def read_filter(value: object, *, from_yaml: bool = True) -> Filter:
    """Return the filter of a value that was read from YAML, or of a JSON tree. Raise BadPattern.

    What YAML makes of an unquoted value is refused where text must stand; JSON has no such trap.
    """
    tree = tree_of(value)
    match tree:
        case Members() if len(tree) == 1 and tree[0][0] == _FILTERS:
            patterns = _of_criteria(tree[0][1])
        case Members():
            patterns = (read_pattern(tree, from_yaml=from_yaml),)
        case list() if tree:
            patterns = tuple(
                read_pattern(each, f"[{number}]", from_yaml=from_yaml)
                for number, each in enumerate(tree)
            )
        case list():
            raise BadPattern("", "an empty list of patterns matches nothing")
        case _:
            raise BadPattern(
                "", f"a filter is a pattern, a list of them, or {_FORM}, not {shown(tree)}"
            )
    return Filter(patterns)


def read_filter_json(text: str) -> Filter:
    """Return the filter of a JSON text. Raise BadPattern."""
    return read_filter(read_json(text), from_yaml=False)


def _of_criteria(filters: object) -> tuple[Pattern, ...]:
    if not isinstance(filters, list):
        raise BadPattern(_FILTERS, f"it is a list, as in {_FORM}, not {shown(filters)}")
    return tuple(
        _of_criterion(f"{_FILTERS}[{number}]", each) for number, each in enumerate(filters)
    )


def _of_criterion(place: str, criterion: object) -> Pattern:
    match criterion:
        case Members() if len(criterion) == 1 and criterion[0][0] == _PATTERN:
            text = criterion[0][1]
        case _:
            raise BadPattern(place, f"it is an object with the one member {_PATTERN}")
    place = f"{place}.{_PATTERN}"
    if not isinstance(text, str):
        raise BadPattern(place, f"it is text that holds JSON, not {shown(text)}")
    return read_pattern(read_json(text, place), place)
