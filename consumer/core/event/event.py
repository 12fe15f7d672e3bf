"""The event: a Nakadi data change event as it is published, or why there can be none."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from msgspec import Struct


class Layout(StrEnum):
    """Where the item stands in the event's `data`."""

    FLAT = "flat"  # its attributes are members of `data`
    NESTED = "nested"  # it is the member `data.item`


@dataclass(frozen=True, slots=True)
class EventFormat:
    """All that an event's bytes depend on, besides its record and the stream that it is from."""

    data_type: str
    ordering_key: tuple[str, ...]  # attributes of the table's primary key, as configured
    patch: bool = True  # U events carry a JSON Patch
    patch_field: str = "patch"
    change_field: str = "change"
    layout: Layout = Layout.FLAT
    event_bytes: int = 999_000  # most bytes of an event; a larger one loses its patch first


class Event(Struct, frozen=True, gc=False):
    """One change, encoded once: the bytes that every attempt sends."""

    sequence: int  # SequenceNumber of the stream record
    ordering_key: str  # JSON array as text; events of one key stay in order
    eid: str
    body: bytes  # strict JSON in UTF-8
    created_at: float  # ApproximateCreationDateTime, epoch seconds


UnbuildableReason = Literal["malformed_record", "reserved_attribute", "too_large"]


@dataclass(frozen=True, slots=True)
class Unbuildable:
    """One change that no event can carry: poison, with what could be read of its coordinates."""

    sequence: int | None
    ordering_key: str | None
    eid: str | None
    reason: UnbuildableReason
    detail: str  # for people; names attributes, never their values
    record: bytes  # the stream record's JSON as read
    body: bytes | None  # too_large: the event without its patch
