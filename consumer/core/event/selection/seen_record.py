"""A stream record less what an event type leaves out, as dead letters keep it.

An event can be made of it again: attributes keep the table's names, and what is moved into the
event's metadata stays. Of the record's own members those are kept that are known, because what a
new one might tell of an item cannot be said. The touch attribute is never kept; a member of ours
says that nothing else has changed.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw

from consumer.core.event.attribute import decode_members, decode_object
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.business_body import seen_text
from consumer.core.event.selection.selection import without
from consumer.core.event.selection.selector import Part, Selector, members_text
from consumer.core.event.touch import touch_attribute
from consumer.core.stream.record import TOUCHED, MalformedRecord, decode_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from consumer.core.event.event import EventFormat
    from consumer.core.event.selection.selection import Selection

_IMAGES: Final = ("Keys", "NewImage", "OldImage")

_OF_RECORD: Final = frozenset(
    (
        *("eventID", "eventName", "eventVersion", "eventSource", "eventSourceARN", "awsRegion"),
        "userIdentity",
    )
)
_OF_CHANGE: Final = frozenset(
    ("ApproximateCreationDateTime", "SequenceNumber", "SizeBytes", "StreamViewType", TOUCHED)
)


def seen_record(text: bytes, form: EventFormat) -> bytes:
    """Return the JSON of a record less what is not seen in events of a format.

    Raise MalformedItem if it cannot be read well enough to say what that is.
    """
    if not (form.leaves_out or touch_attribute(form.touch_attribute).may_be_in(text)):
        return text
    try:
        return _seen_record(text, form)
    except (MalformedItem, DecodeError) as error:
        raise MalformedItem(str(error)) from None
    except RecursionError:
        raise MalformedItem("it is nested too deeply") from None


def _seen_record(text: bytes, form: EventFormat) -> bytes:
    record, touch = decode_record(Raw(text)), touch_attribute(form.touch_attribute)
    if isinstance(record, MalformedRecord):
        raise MalformedItem(record.detail)
    selection = without(form.selection, (touch.name,))
    selector = _selector(selection)
    members, change = decode_object(text), {}
    for name, value in decode_object(members["dynamodb"]).items():
        if name in _IMAGES:
            moved = _moved(form, selection) if name == "NewImage" else ()
            change[name] = _seen_image(value, selector, form.body, moved)
        elif name in _OF_CHANGE:
            change[name] = value
    if record.event_name == "MODIFY" and touch.has_changed_alone(record, there=True):
        change[TOUCHED] = Raw(b"true")
    kept = {name: value for name, value in members.items() if name in _OF_RECORD}
    return members_text({**kept, "dynamodb": Raw(members_text(change))})


def _seen_image(text: Raw, selector: Selector, body: str | None, moved: Iterable[str]) -> Raw:
    """Return what is shown of an image, and all of the attributes that are `moved`."""
    members = dict(decode_members(text))
    if body is not None and body in members:
        shown = selector.of_attribute(body)
        if isinstance(shown, Part):
            members[body] = seen_text(members[body], shown)
    kept = {name: members[name] for name in moved if name in members}
    return Raw(members_text({**selector.seen(members), **kept}))


def _moved(form: EventFormat, selection: Selection) -> Collection[str]:
    """Return the attributes that go into the metadata, which an event has of its new image."""
    return form.metadata.shown(selection).values()


@lru_cache(maxsize=64)
def _selector(selection: Selection) -> Selector:
    return Selector(selection)
