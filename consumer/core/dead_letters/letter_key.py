"""The ordering key of a dead letter: as text, or as a digest if the route does not show it."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from msgspec import DecodeError, json

from consumer.core.event.attribute import decode_array, decode_text

_PREFIX: Final = "sha256:"


def is_digest(key: str | None) -> bool:
    """Return whether a letter has only the digest of its ordering key."""
    return key is not None and key.startswith(_PREFIX)


def digest_of(key: str) -> str:
    """Return the digest of an ordering key; of a digest, itself."""
    if key.startswith(_PREFIX):
        return key
    return _PREFIX + sha256(key.encode(errors="replace")).hexdigest()


def hash_of(key: str) -> str:
    """Return the hexadecimal digits of an ordering key's digest."""
    return digest_of(key).removeprefix(_PREFIX)


def is_key(found: str | None, wanted: str) -> bool:
    """Return whether a letter's key is the one that somebody names.

    They name it as letters have it (`["o-4711"]`) or, if it has one attribute, by its value.
    """
    if found is None or found == wanted:
        return found is not None
    if is_digest(found):
        return found in _digests(wanted)
    try:
        parts = decode_array(found)
        (only,) = [
            decode_text(part) if bytes(part)[:1] == b'"' else str(bytes(part), "utf-8")
            for part in parts
        ]
    except (DecodeError, ValueError):
        return False
    return only == wanted


def _digests(wanted: str) -> set[str]:
    """Return the digests of the keys that these words may name: as they are, a string, a number."""
    try:
        quoted = json.encode(wanted).decode()
    except UnicodeEncodeError:  # it came from a command line and is no text
        return set()
    return {digest_of(text) for text in (wanted, f"[{quoted}]", f"[{wanted}]")}
