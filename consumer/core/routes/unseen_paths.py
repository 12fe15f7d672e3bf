"""UnseenPaths: the paths that routes name and that no record had: a misspelt one hides nothing.

Some records are looked at, and only for paths that were not found yet. So it costs nothing once all
were found, and what it says holds for the records that it saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, json

from consumer.core.event.selection.attribute_path import AttributePath
from consumer.core.event.selection.selection import Selection
from consumer.core.stream.record import StreamRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from consumer.core.routes.route import Route
    from consumer.core.stream.record import MalformedRecord

ENOUGH: Final = 100
"""Records to be looked at before a path is said to be in none of them."""

_decode = json.Decoder(dict[str, object]).decode


class UnseenPaths:
    """The paths that no record had, by event type. `looked_at` counts the records."""

    def __init__(self) -> None:
        self.looked_at = 0
        self._unseen: dict[str, list[AttributePath]] = {}
        self._bodies: dict[str, str | None] = {}

    def watch(self, route: Route) -> None:
        """Look for the paths of this route from now on."""
        self._unseen[route.event_type] = list(dict.fromkeys(paths_of(route)))
        self._bodies[route.event_type] = route.format.body

    def look(self, record: StreamRecord | MalformedRecord) -> None:
        """Look at a record; one that cannot be read does not count."""
        if not isinstance(record, StreamRecord) or not any(self._unseen.values()):
            return
        texts = (record.keys, record.new_image, record.old_image)
        try:
            images = [_decode(text) for text in texts if text is not None]
            unseen = {
                event_type: [
                    path for path in paths if not any_has(images, path, self._bodies[event_type])
                ]
                for event_type, paths in self._unseen.items()
            }
        except (DecodeError, RecursionError):
            return
        self.looked_at += 1
        self._unseen = unseen

    def of(self, event_type: str) -> tuple[str, ...]:
        """Return the paths of an event type that none of enough records had."""
        if self.looked_at < ENOUGH:
            return ()
        return tuple(str(path) for path in self._unseen.get(event_type, ()))


def paths_of(route: Route) -> Iterator[AttributePath]:
    """Yield the paths of attributes that a route names, as they are in the table."""
    if route.filter is not None:
        yield from route.filter.paths
    for _, path in named_paths(route):
        yield path


def named_paths(route: Route) -> Iterator[tuple[str, AttributePath]]:
    """Yield the paths that a route names outside of its filter, each with the word of its setting.

    They are as they are in the table.
    """
    form = route.format
    seen = Selection() if form.selection is None else form.selection
    body = () if form.body is None else (form.body,)
    lists: tuple[tuple[str, Iterable[AttributePath]], ...] = (
        ("changed", route.changed),
        ("include", seen.include or ()),
        ("exclude", seen.exclude),
        ("rename", (AttributePath((name,)) for name, _ in seen.rename)),
        ("metadata", (AttributePath((name,)) for name in form.metadata.names)),
        ("body", (AttributePath((name,)) for name in body)),
    )
    for word, paths in lists:
        for path in paths:
            yield word, path


def any_has(images: Sequence[object], path: AttributePath, body: str | None = None) -> bool:
    """Return whether an image has something at a path.

    `body` is the attribute that is a business event: it may be JSON as text.
    """
    if body == path.names[0]:
        return any(_body_has(image, path.names) for image in images)
    return any(_has(image, path.names) for image in images)


def _body_has(attributes: object, names: tuple[str, ...]) -> bool:
    value = attributes.get(names[0]) if isinstance(attributes, dict) else None
    text = value.get("S") if isinstance(value, dict) else None
    if len(names) == 1 or not isinstance(text, str):
        return _has(attributes, names)
    try:
        return _member(json.decode(text), names[1:])
    except (DecodeError, RecursionError):
        return False


def _member(value: object, names: tuple[str, ...]) -> bool:
    """Return whether plain JSON has something at a path, through lists at any depth."""
    if not names:
        return True
    if isinstance(value, list):
        return any(_member(each, names) for each in value)
    return isinstance(value, dict) and names[0] in value and _member(value[names[0]], names[1:])


def _has(attributes: object, names: tuple[str, ...]) -> bool:
    """Return whether a map of attributes has something at a path, through lists at any depth."""
    if not isinstance(attributes, dict) or names[0] not in attributes:
        return False
    return len(names) == 1 or _leads(attributes[names[0]], names[1:])


def _leads(value: object, names: tuple[str, ...]) -> bool:
    if not isinstance(value, dict):
        return False
    elements = value.get("L")
    if isinstance(elements, list):
        return any(_leads(element, names) for element in elements)
    return _has(value.get("M"), names)
