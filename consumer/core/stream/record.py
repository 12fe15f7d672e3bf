"""A stream record, kept as the text that the service sent. Only its outer members are checked.

Its images are decoded when the record is transcoded; the `bytes` of a Raw field are its JSON.
"""

from typing import Final, Literal, Protocol

from msgspec import UNSET, DecodeError, Raw, Struct, UnsetType, field, json

EventName = Literal["INSERT", "MODIFY", "REMOVE"]

SEQUENCE_DIGITS: Final = 40  # the longest SequenceNumber

TOUCHED: Final = "ConsumerTouched"
"""Our own member of `dynamodb`, in the record of a dead letter: the change was a touch."""


class StreamRecord(Struct, frozen=True, gc=False):
    """One change of one item. It is the one with this `number` among `texts`."""

    texts: "Texts"
    number: int
    event_id: str
    event_name: EventName
    sequence: int  # SequenceNumber; its length varies, so it is never compared as text
    created_at: float | None  # ApproximateCreationDateTime, epoch seconds
    keys: Raw
    new_image: Raw | None
    old_image: Raw | None
    is_ttl: bool  # deleted by DynamoDB itself, because the item had expired
    touched: bool = False  # a dead letter says that nothing had changed but our own attribute

    @property
    def text(self) -> Raw:
        """The whole record as read. May raise RecursionError, as it is looked for in its page."""
        return self.texts[self.number]


class Texts(Protocol):
    """Whole records as read."""

    def __getitem__(self, number: int, /) -> Raw:
        """Return the JSON of a record."""
        ...


class MalformedRecord(Struct, frozen=True):
    """A record without the documented shape."""

    raw: bytes  # its JSON as read
    sequence: int | None  # None if it could not be found
    detail: str  # names the place, never a value of the item


class _UserIdentity(Struct, frozen=True):
    upper_type: str | None = field(default=None, name="Type")  # as in the service model
    upper_principal: str | None = field(default=None, name="PrincipalId")
    lower_type: str | None = field(default=None, name="type")  # as in Lambda's events
    lower_principal: str | None = field(default=None, name="principalId")

    def is_ttl(self) -> bool:
        kinds = (self.upper_type, self.lower_type)
        principals = (self.upper_principal, self.lower_principal)
        return "Service" in kinds and "dynamodb.amazonaws.com" in principals


class _Change(Struct, frozen=True, gc=False):
    sequence_number: str = field(name="SequenceNumber")
    keys: Raw = field(name="Keys")
    new_image: Raw | UnsetType = field(default=UNSET, name="NewImage")
    old_image: Raw | UnsetType = field(default=UNSET, name="OldImage")
    created_at: float | None = field(default=None, name="ApproximateCreationDateTime")
    touched: bool = field(default=False, name=TOUCHED)


class Record(Struct, frozen=True, gc=False):
    """A record as the service sends it."""

    event_id: str = field(name="eventID")
    event_name: EventName = field(name="eventName")
    change: _Change = field(name="dynamodb")
    user_identity: _UserIdentity | None = field(default=None, name="userIdentity")


class _Position(Struct, frozen=True):
    sequence_number: str = field(name="SequenceNumber")


class _Positioned(Struct, frozen=True):
    change: _Position = field(name="dynamodb")


_decode_record = json.Decoder(Record).decode
_decode_positioned = json.Decoder(_Positioned).decode


def decode_record(text: Raw) -> StreamRecord | MalformedRecord:
    """Return the record whose JSON is `text`, which must be Unicode."""
    try:
        record = _decode_record(text)
    except DecodeError as error:
        return MalformedRecord(bytes(text), sequence_of(text), str(error))
    return record_of(record, (text,), 0)


def record_of(record: Record, texts: Texts, number: int) -> StreamRecord | MalformedRecord:
    """Return the record that was decoded from the text with this number."""
    change = record.change
    digits = change.sequence_number
    if not (digits.isdigit() and digits.isascii() and len(digits) <= SEQUENCE_DIGITS):
        text = bytes(texts[number])
        return MalformedRecord(text, None, "SequenceNumber is not up to 40 digits")
    return StreamRecord(
        texts,
        number,
        record.event_id,
        record.event_name,
        int(digits),
        change.created_at,
        change.keys,
        None if change.new_image is UNSET else change.new_image,
        None if change.old_image is UNSET else change.old_image,
        record.user_identity is not None and record.user_identity.is_ttl(),
        change.touched,
    )


def sequence_of(text: Raw) -> int | None:
    """Return a record's SequenceNumber, whatever else is wrong with it, or None."""
    try:
        return _sequence(_decode_positioned(text).change.sequence_number)
    except DecodeError:
        return None


def _sequence(number: str) -> int | None:
    is_number = number.isascii() and number.isdigit() and len(number) <= SEQUENCE_DIGITS
    return int(number) if is_number else None
