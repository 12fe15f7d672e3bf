"""A stream record: one change of one item, and its JSON.

What the records hold is AWS's documentation of GetRecords; order of members and compactness are as
the service writes them.
"""

from dataclasses import dataclass
from enum import StrEnum

import orjson

from localdev.streams.model.attribute import Attributes, attributes_size
from localdev.streams.model.item import Item
from localdev.streams.names import REGION


class EventName(StrEnum):
    """What happened to the item."""

    INSERT = "INSERT"
    MODIFY = "MODIFY"
    REMOVE = "REMOVE"


class ViewType(StrEnum):
    """Which images a stream's records carry; it never changes for a stream."""

    KEYS_ONLY = "KEYS_ONLY"
    NEW_IMAGE = "NEW_IMAGE"
    OLD_IMAGE = "OLD_IMAGE"
    NEW_AND_OLD_IMAGES = "NEW_AND_OLD_IMAGES"

    @property
    def has_new(self) -> bool:
        """Whether records carry the item after the change."""
        return self in (ViewType.NEW_IMAGE, ViewType.NEW_AND_OLD_IMAGES)

    @property
    def has_old(self) -> bool:
        """Whether records carry the item before the change."""
        return self in (ViewType.OLD_IMAGE, ViewType.NEW_AND_OLD_IMAGES)


@dataclass(frozen=True, slots=True)
class Change:
    """One change: no `old` is an insert, no `new` a removal. `ttl`: DynamoDB itself removed it."""

    key: Attributes
    old: Item | None
    new: Item | None
    ttl: bool = False

    @property
    def event_name(self) -> EventName:
        """What the change is called in its record."""
        if self.old is None:
            return EventName.INSERT
        return EventName.REMOVE if self.new is None else EventName.MODIFY


@dataclass(frozen=True, slots=True)
class Entry:
    """What is kept of a record after it is trimmed.

    `at` is its time in epoch seconds, `keys` the JSON of its Keys.
    """

    sequence: int
    at: float
    event_id: str
    event_name: EventName
    keys: bytes


def encode_record(
    change: Change,
    entry: Entry,
    view_type: ViewType,
    *,
    exponent_times: bool,
    time_resolution: int = 1,
    lower_case_identity: bool = False,
) -> bytes:
    """Return a record's compact JSON; its time is floored, by the service to the second."""
    new = change.new if view_type.has_new else None
    old = change.old if view_type.has_old else None
    size = attributes_size(change.key) + sum(image.size for image in (new, old) if image)
    floored = int(entry.at) // time_resolution * time_resolution
    seconds = exponent_time(floored) if exponent_times else str(floored)
    principal, kind = ("principalId", "type") if lower_case_identity else ("PrincipalId", "Type")
    user = f',"userIdentity":{{"{principal}":"dynamodb.amazonaws.com","{kind}":"Service"}}'.encode()
    return b"".join(
        (
            f'{{"eventID":"{entry.event_id}","eventName":"{entry.event_name}",'
            f'"eventVersion":"1.1","eventSource":"aws:dynamodb","awsRegion":"{REGION}",'
            f'"dynamodb":{{"ApproximateCreationDateTime":{seconds},"Keys":'.encode(),
            entry.keys,
            b',"NewImage":' + new.body if new else b"",
            b',"OldImage":' + old.body if old else b"",
            f',"SequenceNumber":"{entry.sequence}","SizeBytes":{size},'
            f'"StreamViewType":"{view_type}"}}'.encode(),
            user if change.ttl else b"",
            b"}",
        )
    )


def exponent_time(seconds: int) -> str:
    """Return epoch seconds as Java writes a double: 1.46480431E9."""
    digits = str(seconds)
    return f"{digits[0]}.{digits[1:].rstrip('0') or '0'}E{len(digits) - 1}"


def encode_keys(key: Attributes) -> bytes:
    """Return the JSON of a record's Keys."""
    return orjson.dumps(key)
