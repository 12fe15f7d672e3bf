"""Primary keys as people give them, in DynamoDB's typed JSON, and when two of them are the same."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from msgspec import DecodeError, Raw, json

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from consumer.core.republish.table.table_description import TableDescription

_decode = json.Decoder(dict[str, object]).decode

KeyIdentity = tuple[tuple[str, str, str | Decimal], ...]
"""What tells two keys apart; `1` and `1.0` are one number."""


class NotAKey(ValueError):
    """It is no key of the table. The message says why, in one line."""


class Key:
    """A key of the table, or a partition key alone."""

    __slots__ = ("identity", "is_whole", "text")

    def __init__(self, values: Mapping[str, tuple[str, str]], *, is_whole: bool) -> None:
        self.text = Raw(json.encode({name: {kind: at} for name, (kind, at) in values.items()}))
        self.identity = tuple(_identity(name, *values[name]) for name in sorted(values))
        self.is_whole = is_whole


def read_key(text: bytes | str, table: TableDescription) -> Key:
    """Return the key of a JSON text. Raise NotAKey.

    The partition key alone is one, where the table has a sort key, too. So is an object whose
    member `key` is a key and whose member `reason` is a text: a line of a file of refused keys.
    """
    try:
        found = _decode(text)
    except (DecodeError, RecursionError):
        raise NotAKey("it is no JSON object") from None
    match found:
        case {"reason": str(), "key": dict() as inner}:
            found = {str(name): value for name, value in inner.items()}
    strangers = [name for name in found if name not in table.keys]
    if strangers:
        raise NotAKey(f"{strangers[0]!r} is no attribute of the table's key {_named(table)}")
    if table.keys[0] not in found:
        raise NotAKey(f"it lacks {table.keys[0]!r} of the table's key {_named(table)}")
    values = {
        name: _value(name, found[name], table.key_types[name])
        for name in table.keys
        if name in found
    }
    return Key(values, is_whole=len(values) == len(table.keys))


def read_keys(lines: Iterable[bytes], table: TableDescription) -> Iterator[Key]:
    """Yield the key of each line that is not empty. Raise NotAKey, which names the line."""
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield read_key(line, table)
            except NotAKey as error:
                raise NotAKey(f"line {number}: {error}") from None


def identity_of(keys: Raw) -> KeyIdentity:
    """Return what tells this key of the table from another one."""
    found = json.decode(keys, type=dict[str, dict[str, str]])
    return tuple(
        _identity(name, kind, value)
        for name in sorted(found)
        for kind, value in found[name].items()
    )


def _value(name: str, value: object, kind: str) -> tuple[str, str]:
    """Return type and text of a key attribute. Raise NotAKey."""
    match value:
        case dict() if len(value) == 1:
            [(given, text)] = value.items()
        case _:
            raise NotAKey(f'{name!r} is no typed value, such as {{"{kind}": "…"}}')
    if given != kind:
        raise NotAKey(f"{name!r} is of type {given}, and in the table's key of type {kind}")
    if not isinstance(text, str) or not text:
        raise NotAKey(f"{name!r} has no text as its value")
    if kind == "N":
        _number(name, text)
    if kind == "B":
        _binary(name, text)
    return kind, text


def _number(name: str, text: str) -> None:
    try:
        good = Decimal(text).is_finite()
    except InvalidOperation:
        good = False
    if not good:
        raise NotAKey(f"{name!r} is no number")


def _binary(name: str, text: str) -> None:
    try:
        json.decode(json.encode(text), type=bytes)
    except DecodeError:
        raise NotAKey(f"{name!r} is no base64 text") from None


def _identity(name: str, kind: str, text: str) -> tuple[str, str, str | Decimal]:
    return name, kind, Decimal(text) if kind == "N" else text


def _named(table: TableDescription) -> str:
    return f"({', '.join(table.keys)})"
