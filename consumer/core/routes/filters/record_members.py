"""The members of a stream record besides its images, as Lambda sees them.

GetRecords answers records that lack the stream's ARN and write `userIdentity` with capitals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from operator import attrgetter
from typing import TYPE_CHECKING, Final

from msgspec import UNSET, DecodeError, Struct, UnsetType, field, json

from consumer.core.event.malformed import MalformedItem

if TYPE_CHECKING:
    from consumer.core.stream.record import StreamRecord


class _Identity(Struct, frozen=True, gc=False):
    upper_type: str | UnsetType = field(default=UNSET, name="Type")
    upper_principal: str | UnsetType = field(default=UNSET, name="PrincipalId")
    lower_type: str | UnsetType = field(default=UNSET, name="type")
    lower_principal: str | UnsetType = field(default=UNSET, name="principalId")


class _Change(Struct, frozen=True, gc=False):
    sequence_number: str | UnsetType = field(default=UNSET, name="SequenceNumber")
    view_type: str | UnsetType = field(default=UNSET, name="StreamViewType")
    size: int | float | UnsetType = field(default=UNSET, name="SizeBytes")


class _Text(Struct, frozen=True, gc=False):
    """What StreamRecord does not hold."""

    event_version: str | UnsetType = field(default=UNSET, name="eventVersion")
    event_source: str | UnsetType = field(default=UNSET, name="eventSource")
    region: str | UnsetType = field(default=UNSET, name="awsRegion")
    identity: _Identity | None = field(default=None, name="userIdentity")
    change: _Change = field(default=_Change(), name="dynamodb")


class Members(Struct, frozen=True, gc=False):
    """The members of one record. What is absent is UNSET."""

    record: StreamRecord
    stream_arn: str
    text: _Text

    @property
    def created_at(self) -> float | UnsetType:
        """ApproximateCreationDateTime, in epoch seconds."""
        created_at = self.record.created_at
        return UNSET if created_at is None else created_at

    @property
    def identity_type(self) -> str | UnsetType:
        """The type of userIdentity, however the stream spells it."""
        identity = self.text.identity or _NOBODY
        return identity.upper_type if identity.lower_type is UNSET else identity.lower_type

    @property
    def identity_principal(self) -> str | UnsetType:
        """The principalId of userIdentity, however the stream spells it."""
        identity = self.text.identity or _NOBODY
        lower = identity.lower_principal
        return identity.upper_principal if lower is UNSET else lower


Get = Callable[[object], object]
"""Takes a part of a record to a leaf, or to the next list on the way; UNSET if it is absent."""

_KNOWN: Final[Mapping[str, Get]] = {
    "eventID": attrgetter("record.event_id"),
    "eventName": attrgetter("record.event_name"),
    "eventSourceARN": attrgetter("stream_arn"),
    "dynamodb.ApproximateCreationDateTime": attrgetter("created_at"),
}
"""Members that need no further reading."""

_GETTERS: Final[Mapping[str, Get]] = {
    **_KNOWN,
    "eventVersion": attrgetter("text.event_version"),
    "eventSource": attrgetter("text.event_source"),
    "awsRegion": attrgetter("text.region"),
    "userIdentity.type": attrgetter("identity_type"),
    "userIdentity.principalId": attrgetter("identity_principal"),
    "dynamodb.SequenceNumber": attrgetter("text.change.sequence_number"),
    "dynamodb.StreamViewType": attrgetter("text.change.view_type"),
    "dynamodb.SizeBytes": attrgetter("text.change.size"),
}

_decode = json.Decoder(_Text).decode
_NOTHING: Final = _Text()
_NOBODY: Final = _Identity()


def member_getter(name: str) -> Get:
    """Return what takes Members to the one of this name."""
    return _GETTERS[name]


class MemberReader:
    """Reads the members that filters name."""

    def __init__(self, names: Iterable[str]) -> None:
        self._decodes = not set(names) <= set(_KNOWN)

    def read(self, record: StreamRecord, stream_arn: str) -> Members:
        """Return the members of a record. Raise MalformedItem."""
        return Members(record, stream_arn, _text(record) if self._decodes else _NOTHING)


def _text(record: StreamRecord) -> _Text:
    try:
        return _decode(record.text)
    except DecodeError as error:
        raise MalformedItem(f"the record: {error}") from None
    except RecursionError:
        raise MalformedItem("the record is nested too deeply") from None
