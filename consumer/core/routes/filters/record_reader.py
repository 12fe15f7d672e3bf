"""Reads of a stream record the parts that filters name, each once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from msgspec import DecodeError

from consumer.core.routes.filters.image_reader import ImageReader
from consumer.core.routes.filters.place import Place, Source
from consumer.core.routes.filters.record_members import Get, MemberReader, member_getter

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from consumer.core.stream.record import StreamRecord

PARTS = (Source.MEMBERS, Source.KEYS, Source.NEW_IMAGE, Source.OLD_IMAGE)
"""What may be read of a record, in this order."""

NUMBER_OF = {source: number for number, source in enumerate(PARTS)}

Parts = tuple[object, ...]
"""What was read of a record, by the number of its source; None if no filter names any of it."""


class RecordReader:
    """Reads records for all of these places. None of them is of the source ITEM."""

    def __init__(self, places: Iterable[Place]) -> None:
        by_source = defaultdict(list)
        for place in places:
            by_source[place.source].append(place)
        members = by_source.pop(Source.MEMBERS, [])
        self._members = MemberReader(place.name for place in members) if members else None
        self._images = {
            source: ImageReader(source.value, found) for source, found in by_source.items()
        }
        self._keys = self._images.get(Source.KEYS)
        self._new = self._images.get(Source.NEW_IMAGE)
        self._old = self._images.get(Source.OLD_IMAGE)

    def read(self, record: StreamRecord, stream_arn: str) -> Parts:
        """Return the parts of a record. Raise MalformedItem if one cannot be read."""
        keys, new, old = self._keys, self._new, self._old
        new_image, old_image = record.new_image, record.old_image
        members = None if self._members is None else self._members.read(record, stream_arn)
        try:
            return (
                members,
                None if keys is None else keys.decode(record.keys),
                None if new is None else new.absent if new_image is None else new.decode(new_image),
                None if old is None else old.absent if old_image is None else old.decode(old_image),
            )
        except (DecodeError, RecursionError):  # again, by what names the image in its error
            images = ((keys, record.keys), (new, new_image), (old, old_image))
            return (members, *(reader and reader.read(text) for reader, text in images))

    def getters(self, place: Place) -> tuple[Get, ...]:
        """Return what leads to a place: from its part, then from an element of each list."""
        if place.source is Source.MEMBERS:
            return (member_getter(place.name),)
        return self._images[place.source].getters(place)

    def getter(self, place: Place) -> Callable[[Parts], object]:
        """Return what leads to a place that is in no list, from all parts."""
        number, [get] = NUMBER_OF[place.source], self.getters(place)
        return lambda parts: get(parts[number])
