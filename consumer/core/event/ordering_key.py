"""Ordering keys: events with the same ordering key stay in order."""

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

from msgspec import DecodeError, Raw, Struct, defstruct, json

from consumer.core.event.attribute import BACKSLASH, Item, decode_item, decode_text, plain
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.member_names import is_no_field

_KEY_TYPES: Final = ("S", "N", "B")


class _Text(Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """A key attribute that is a string, as most are."""

    S: str


class OrderingKeys:
    """Reads the ordering key of these attributes from the `Keys` of records."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._decode = self._texts = None
        if names and not any(map(is_no_field, names)):
            fields = {f"a{number}": name for number, name in enumerate(names)}
            keys = [(field, _Text) for field in fields]
            made = defstruct("Keys", keys, rename=fields, frozen=True, gc=False)
            self._decode = json.Decoder(made).decode
            self._texts = attrgetter(*[f"{field}.S" for field in fields])

    def of(self, keys: Raw) -> str:
        """Return what `ordering_key` returns. Raises MalformedItem."""
        if self._decode is not None and self._texts is not None:
            try:
                texts = json.encode(self._texts(self._decode(keys))).decode()
            except DecodeError:
                pass  # one is a number, binary, or missing
            else:
                return texts if len(self._names) > 1 else f"[{texts}]"
        return ordering_key(decode_item(keys), self._names)


def ordering_key(keys: Item, names: Sequence[str]) -> str:
    """Return the key attributes `names` as a JSON array: `["o-4711",12.50]`.

    A string has one spelling, whatever escapes it was sent with; a number has DynamoDB's digits and
    is never quoted; binary is its base64 text. Raises MalformedItem.
    """
    return f"[{','.join([_part(keys, name) for name in names])}]"


def _part(keys: Item, name: str) -> str:
    value = keys.get(name)
    if value is None:
        raise MalformedItem(f"Keys: attribute {name!r} is missing")
    if value.keys().isdisjoint(_KEY_TYPES):
        raise MalformedItem(f"Keys: attribute {name!r} is not a string, number or binary")
    text = plain(value)  # raises if it is not an attribute value
    if "N" in value:
        return bytes(value["N"])[1:-1].decode()
    if BACKSLASH in text:
        return json.encode(decode_text(text)).decode()
    return text.decode()
