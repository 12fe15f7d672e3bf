"""Sightings: which paths of the routes were in any record, and which routes have taken one.

A name that is misspelt fails nowhere: what should be left out is shown, and a filter takes nothing.
Here it is found, for a preview, in every record and with the word of the setting that names it; the
service itself looks at some records (`unseen_paths`).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, json

from consumer.core.routes.filters.place import IMAGES, Source
from consumer.core.routes.unseen_paths import any_has, named_paths

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.event.selection.attribute_path import AttributePath
    from consumer.core.routes.filters.place import Place, Step
    from consumer.core.routes.route import Route
    from consumer.core.stream.record import StreamRecord

_decode = json.Decoder().decode

_Named = tuple[int, str, str]
"""The number of a route, the word of its setting, and a path as it is written there."""

_NAMES: Final = frozenset(("metadata", "body"))

_OF_IMAGES: Final = {
    Source.KEYS: ("keys",),
    Source.NEW_IMAGE: ("new",),
    Source.OLD_IMAGE: ("old",),
    Source.ITEM: ("new", "old"),
}


class Sightings:
    """What the records so far had, and which routes made events of them."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.records = 0
        self._routes = routes
        self._taken: Counter[int] = Counter()
        self._unseen: dict[_Named, AttributePath] = {
            (number, word, _written(word, path)): path
            for number, route in enumerate(routes)
            for word, path in named_paths(route)
        }
        self._unseen_places: dict[_Named, Place] = {
            (number, "filter", path): place
            for number, route in enumerate(routes)
            for path, place in (() if route.filter is None else route.filter.places)
            if place.source in IMAGES
        }

    def see(self, record: StreamRecord) -> None:
        """Note the paths that a record has."""
        self.records += 1
        if not (self._unseen or self._unseen_places):
            return
        images = {
            "keys": _item(record.keys),
            "new": _item(record.new_image),
            "old": _item(record.old_image),
        }
        for named, path in [*self._unseen.items()]:
            body = self._routes[named[0]].format.body
            if any_has((images["new"], images["old"]), path, body):
                del self._unseen[named]
        for named, place in [*self._unseen_places.items()]:
            if any(_has_leaf(images[image], place.steps) for image in _OF_IMAGES[place.source]):
                del self._unseen_places[named]

    def take(self, number: int) -> None:
        """Note that a route made an event."""
        self._taken[number] += 1

    def taken(self, number: int) -> int:
        """Return of how many records a route made an event."""
        return self._taken[number]

    def idle(self) -> list[Route]:
        """Return the routes that made no event."""
        return [route for number, route in enumerate(self._routes) if not self._taken[number]]

    def unseen(self) -> list[tuple[Route, str, str]]:
        """Return the paths that no record had: the route, the word of its setting, the path."""
        found = sorted([*self._unseen, *self._unseen_places])
        return [(self._routes[number], word, path) for number, word, path in found]


def _written(word: str, path: AttributePath) -> str:
    """Return a path as its setting has it: the words of `_NAMES` have names, and no paths."""
    return path.names[0] if word in _NAMES else str(path)


def _item(image: Raw | None) -> dict[str, object]:
    """Return an image as values of Python; nothing of one that cannot be read."""
    try:
        found: object = None if image is None else _decode(image)
    except (DecodeError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _has_leaf(members: object, steps: Sequence[Step]) -> bool:
    """Return whether an item, or a map, has a value at the end of these steps."""
    if not isinstance(members, dict) or steps[0].name not in members:
        return False
    values: list[object] = [members[steps[0].name]]
    for kind in steps[0].types:
        found = [each[kind] for each in values if isinstance(each, dict) and kind in each]
        values = found
        if kind == "L":
            values = [each for value in found if isinstance(value, list) for each in value]
    return any(_has_leaf(each, steps[1:]) for each in values) if steps[1:] else bool(values)
