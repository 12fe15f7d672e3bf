"""The event: a Nakadi data change event as it is published, or the reason why there is none."""

from enum import StrEnum
from typing import ClassVar, Final, Literal

from msgspec import Struct

from consumer.core.event.selection.selection import Selection

TOUCH_ATTRIBUTE: Final = "consumer:touch"
"""The attribute by which items are touched, if the settings give no other one."""


class Layout(StrEnum):
    """Where the event's `data` holds the item."""

    FLAT = "flat"  # its attributes are members of `data`
    NESTED = "nested"  # it is the member `data.item`


class Crossing(StrEnum):
    """What a change does where an event type shows only some of the items. It is told in `change`.

    For the readers an item that enters is made, and one that leaves is deleted.
    """

    ENTERED = "entered"  # the change has made it one of these items
    LEFT = "left"  # since the change it is none of them


class Category(StrEnum):
    """The category of an event type, which decides the form of its events."""

    DATA = "data"  # data change events: metadata, data_type, data_op, data
    BUSINESS = "business"  # the item, or a map in it, is the event


class MetadataSources(Struct, frozen=True):
    """The attributes whose strings become members of an event's `metadata`, instead of `data`."""

    eid: str | None = None  # a UUID
    flow_id: str | None = None
    span_ctx: str | None = None
    parent_eids: str | None = None  # a list or set of UUIDs

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes, each once."""
        return tuple(dict.fromkeys(self.shown(None).values()))

    def shown(self, selection: Selection | None) -> dict[str, str]:
        """Return the attribute of each member, less those of which anything is excluded.

        The members of an attribute are not told apart here. What is not included is moved, too.
        """
        excluded = () if selection is None else selection.exclude
        hidden = {path.names[0] for path in excluded}
        named = {
            "eid": self.eid,
            "flow_id": self.flow_id,
            "span_ctx": self.span_ctx,
            "parent_eids": self.parent_eids,
        }
        return {
            member: attribute
            for member, attribute in named.items()
            if attribute is not None and attribute not in hidden
        }


NO_SOURCES: Final = MetadataSources()


class EventFormat(Struct, frozen=True):
    """Everything that determines an event's bytes, except its record and its stream.

    `selection` None shows the whole item. `eid_event_type` is the event type that goes into the
    eid, so that the events which several routes make of one record have different ones; None: the
    eid is that of the record. `body` names the map that is a business event; None: the item is it.
    `stream_prefix` stands before the label of the stream by which readers order events.
    `touch_attribute` is the attribute that no event has, whatever the selection says.
    """

    data_type: str
    ordering_key: tuple[str, ...]  # attributes of the table's primary key, as configured
    patch: bool = True  # U events carry a JSON Patch
    patch_field: str = "patch"
    change: bool = True  # events say which change they are; only business events need not
    change_field: str = "change"
    layout: Layout = Layout.FLAT
    event_bytes: int = 999_000  # most bytes of an event; a larger one is made without its patch
    selection: Selection | None = None
    category: Category = Category.DATA
    body: str | None = None
    metadata: MetadataSources = NO_SOURCES
    eid_event_type: str | None = None
    stream_prefix: str = ""
    touch_attribute: str = TOUCH_ATTRIBUTE

    @property
    def patch_member(self) -> str | None:
        """The name of the patch inside `data`; None if no event has one."""
        return self.patch_field if self.patch else None

    @property
    def change_member(self) -> str | None:
        """The name of the member that says which change an event is; None if no event has one."""
        has_one = self.change or self.category is Category.DATA
        return self.change_field if has_one else None

    @property
    def reserved(self) -> tuple[str, ...]:
        """The names beside the item's own that its events need themselves, each once."""
        needed: tuple[str | None, ...] = ()
        if self.category is Category.BUSINESS:
            needed = ("metadata", self.change_member)
        elif self.layout is Layout.FLAT:
            needed = (self.patch_member, self.change_member)
        return tuple(dict.fromkeys(name for name in needed if name is not None))

    def key_name(self, key: str) -> str | None:
        """Return the name under which items have a key attribute of the table, None if not at all.

        One that is moved into the metadata is not in the item. With `body` only that is shown, and
        this is not the name of a member of it.
        """
        if key in self.metadata.names:
            return None
        if self.selection is None:
            return key
        return dict(self.selection.rename).get(key, key) if self.selection.shows_key(key) else None

    @property
    def leaves_out(self) -> bool:
        """Whether there are items of which its events do not show everything."""
        return self.selection is not None and self.selection.leaves_out

    @property
    def hides(self) -> bool:
        """Whether it keeps attributes of the table from those who see its events."""
        seen = self.selection
        return seen is not None and (seen.include is not None or bool(seen.exclude))

    @property
    def reshapes(self) -> bool:
        """Whether its events do not show what another format would need of the record.

        Then a dead letter has the record beside the event.
        """
        seen = self.selection
        renames = seen is not None and bool(seen.rename)
        return self.hides or renames or self.body is not None


class Event(Struct, frozen=True, gc=False):
    """One change, encoded once: every attempt sends the same bytes.

    `record` is the stream record's JSON as read, if the format `reshapes` it. `left_out` is how
    many values were to be metadata of it and cannot be.
    """

    sequence: int  # SequenceNumber of the stream record
    ordering_key: str  # JSON array as text; events of one key stay in order
    eid: str
    body: bytes  # strict JSON in UTF-8
    created_at: float  # ApproximateCreationDateTime, epoch seconds
    crossing: Crossing | None = None
    record: bytes | None = None
    left_out: int = 0
    unreadable: ClassVar[bool] = False  # unlike some records of which no event can be made


class Withheld(StrEnum):
    """Why a route that takes a change makes no event of it. Members are in order of precedence."""

    OUTBOX_MODIFIED = "outbox_modified"  # an item that was a business event was written again
    UNCHANGED = "unchanged"  # nothing differs of what decides for the route
    OUTBOX_REMOVED = "outbox_removed"  # an item that was a business event has gone


DETAIL_CHARACTERS: Final = 2_000
"""Most characters of `Unbuildable.detail`; names of attributes can be much longer."""

UnbuildableReason = Literal["malformed_record", "reserved_attribute", "too_large"]


class Unbuildable(Struct, frozen=True):
    """One change of which no event can be made (poison), and its coordinates if readable.

    `record` is the stream record's JSON as read, less what the event type leaves out. It is None if
    it cannot be said what that is. `unreadable` says that the record could not be read at all, so
    that no filter could be asked either; then `record` is complete.
    """

    sequence: int | None
    ordering_key: str | None
    eid: str | None
    reason: UnbuildableReason
    detail: str  # for people; names attributes, never their values
    record: bytes | None
    body: bytes | None  # too_large: the event without its patch
    crossing: Crossing | None = None
    unreadable: bool = False
    left_out: int = 0  # as of an Event
