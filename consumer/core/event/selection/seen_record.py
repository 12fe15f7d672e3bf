"""A stream record less what an event type leaves out, as dead letters keep it.

An event can be made of it again: attributes keep the table's names, and what is moved into the
event's metadata stays. Of the record's own members those are kept that are known, because what a
new one might tell of an item cannot be said.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from msgspec import DecodeError, Raw

from consumer.core.event.attribute import decode_members, decode_object
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.selection.business_body import seen_text
from consumer.core.event.selection.selector import Part, Selector, members_text
from consumer.core.stream.record import TOUCHED, MalformedRecord, decode_record

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from consumer.core.event.event import EventFormat
    from consumer.core.event.selection.selection import Selection

_IMAGES: Final = frozenset(("Keys", "NewImage", "OldImage"))

_OF_RECORD: Final = frozenset(
    (
        *("eventID", "eventName", "eventVersion", "eventSource", "eventSourceARN", "awsRegion"),
        "userIdentity",
    )
)
_OF_CHANGE: Final = frozenset(
    ("ApproximateCreationDateTime", "SequenceNumber", "SizeBytes", "StreamViewType", TOUCHED)
)

_KNOWN: Final = _OF_CHANGE | _IMAGES


def seen_record(text: bytes, form: EventFormat) -> bytes:
    """Return the JSON of a record less what is not seen in events of a format.

    Raise MalformedItem if it cannot be read well enough to say what that is.
    """
    selection = form.selection
    if selection is None or not selection.leaves_out:
        return text
    try:
        return _seen_record(text, _selector(selection), form)
    except (MalformedItem, DecodeError) as error:
        raise MalformedItem(str(error)) from None
    except RecursionError:
        raise MalformedItem("it is nested too deeply") from None


def _seen_record(text: bytes, selector: Selector, form: EventFormat) -> bytes:
    record = decode_record(Raw(text))
    if isinstance(record, MalformedRecord):
        raise MalformedItem(record.detail)
    kept, change = known_members(Raw(text))
    for name in filter(_IMAGES.__contains__, [*change]):
        moved = _moved(form) if name == "NewImage" else ()
        change[name] = _seen_image(change[name], selector, form.body, moved)
    return members_text({**kept, "dynamodb": Raw(members_text(change))})


def known_members(text: Raw) -> tuple[dict[str, Raw], dict[str, Raw]]:
    """Return the known members of a record but `dynamodb`, and those of `dynamodb`.

    The record has been read before. May raise RecursionError.
    """
    members = decode_object(text)
    change = decode_object(members["dynamodb"])
    return (
        {name: value for name, value in members.items() if name in _OF_RECORD},
        {name: value for name, value in change.items() if name in _KNOWN},
    )


def _seen_image(text: Raw, selector: Selector, body: str | None, moved: Iterable[str]) -> Raw:
    """Return what is shown of an image, and all of the attributes that are `moved`."""
    members = dict(decode_members(text))
    if body is not None and body in members:
        shown = selector.of_attribute(body)
        if isinstance(shown, Part):
            members[body] = seen_text(members[body], shown)
    kept = {name: members[name] for name in moved if name in members}
    return Raw(members_text({**selector.seen(members), **kept}))


def _moved(form: EventFormat) -> Collection[str]:
    """Return the attributes that go into the metadata, which an event has of its new image."""
    return form.metadata.shown(form.selection).values()


@lru_cache(maxsize=64)
def _selector(selection: Selection) -> Selector:
    return Selector(selection)
