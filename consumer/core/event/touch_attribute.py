"""The touch attribute: ours in the table's items, written to have a change come by the stream.

Rules
- It is taken out of records before anything is asked or made of them: no filter, no patch, no event
  and no letter has it. So routes need not know of it.
- A change of nothing else is `touched`. It can be told only where the record has both images.
- Tables whose items were never touched pay for one search in each page. What only looks as if an
  item had it costs time and changes nothing.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw, structs

from consumer.core.event.attribute import decode_object
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff
from consumer.core.event.selection.seen_record import known_members
from consumer.core.event.selection.selector import members_text
from consumer.core.stream.page import PageTexts
from consumer.core.stream.record import TOUCHED, MalformedRecord, StreamRecord

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.stream.record import Texts

TOUCH_ATTRIBUTE: Final = "consumer:touch"
"""Its name, if the settings give no other one."""

_NOTHING: Final = Raw(b"null")
"""Stands for an image in which nothing can be found: no event can be made of it either."""

_Image = tuple[Raw | None, Raw | None]
"""An image without the attribute, and what the attribute was; None if there is none."""


class TouchAttribute:
    """Takes the attribute of this name out. The name is of ASCII that JSON need not escape."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._plain = b'"%b"' % name.encode()
        letters = b"|".join(b"%02x" % code for code in sorted(set(name.encode())))
        self._escaped = re.compile(rb"\\u00(?:%b)" % letters, re.IGNORECASE).search
        self._look = self.may_be_in  # one object, by which pages remember the answer

    def may_be_in(self, text: bytes) -> bool:
        """Return whether the name may stand in a JSON text, in any spelling."""
        return self._plain in text or (b"\\u00" in text and self._escaped(text) is not None)

    def cleaned(
        self, records: Sequence[StreamRecord | MalformedRecord]
    ) -> Sequence[StreamRecord | MalformedRecord]:
        """Return these records without the attribute, in their order.

        Of one that cannot be read nobody can say where it stands: nothing of its text is kept.
        """
        clean: Texts | None = None  # those of a page that has it nowhere
        for number, record in enumerate(records):
            if isinstance(record, StreamRecord):
                if record.texts is clean:
                    continue
                if not self._may_be_of(record):
                    clean = record.texts if isinstance(record.texts, PageTexts) else None
                    continue
            if self._any_of(record) is not record:
                return [*records[:number], *map(self._any_of, records[number:])]
        return records

    def of(self, record: StreamRecord) -> StreamRecord:
        """Return a record without the attribute."""
        return self._of(record) if self._may_be_of(record) else record

    def of_item(self, item: Raw | None) -> Raw | None:
        """Return an item, or an image, without the attribute."""
        return self._without(item)[0]

    def _any_of(self, record: StreamRecord | MalformedRecord) -> StreamRecord | MalformedRecord:
        if isinstance(record, StreamRecord):
            return self.of(record)
        kept = record.raw is None or not self.may_be_in(record.raw)
        return record if kept else replace(record, raw=None)

    def _may_be_of(self, record: StreamRecord) -> bool:
        texts = record.texts
        if isinstance(texts, PageTexts):
            return texts.holds(self._look)
        return self._names(record.new_image) or self._names(record.old_image)

    def _names(self, image: Raw | None) -> bool:
        return image is not None and self.may_be_in(bytes(image))

    def _of(self, record: StreamRecord) -> StreamRecord:
        new, new_value = self._without(record.new_image)
        old, old_value = self._without(record.old_image)
        if new is record.new_image and old is record.old_image:
            return record
        touched = record.touched or (
            record.event_name == "MODIFY" and new_value != old_value and _is_same(old, new)
        )
        texts = _Texts(record.texts, record.number, new, old, touched=touched)
        return structs.replace(
            record, texts=texts, number=0, new_image=new, old_image=old, touched=touched
        )

    def _without(self, image: Raw | None) -> _Image:
        if image is None or not self.may_be_in(bytes(image)):
            return image, None
        try:
            members = decode_object(image)
        except (DecodeError, RecursionError):
            return _NOTHING, None
        value = members.pop(self.name, None)
        return (image, None) if value is None else (Raw(members_text(members)), value)


class _Texts:
    """The text of a record without the attribute, made when it is asked for."""

    def __init__(
        self, texts: Texts, number: int, new: Raw | None, old: Raw | None, *, touched: bool
    ) -> None:
        self._texts = texts
        self._number = number
        self._images = {"NewImage": new, "OldImage": old}
        self._touched = touched

    def __getitem__(self, number: int) -> Raw:
        members, change = known_members(self._texts[self._number])
        change |= {name: image for name, image in self._images.items() if image is not None}
        if self._touched:
            change[TOUCHED] = Raw(b"true")
        return Raw(members_text({**members, "dynamodb": Raw(members_text(change))}))


def _is_same(old: Raw | None, new: Raw | None) -> bool:
    """Return whether two images are the same to whoever reads events."""
    if old is None or new is None:
        return False
    before, after = decode_object(old), decode_object(new)
    try:
        return diff(before, after, limit=0) == []
    except (MalformedItem, DecodeError, RecursionError):
        return False
