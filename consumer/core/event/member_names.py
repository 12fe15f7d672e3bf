"""Attribute names as an event writes them, encoded once and remembered.

What is remembered is weighed in bytes: a name may have 64 KB, and maps may use ids as names.
"""

from collections.abc import Callable
from sys import getsizeof
from typing import Final

from msgspec import json

NAMES_BYTES: Final = 2 * 1024 * 1024
"""Most memory of each of the two dictionaries of a process; about 8,000 names of 20 letters."""

NAME_BYTES: Final = 4_096
"""Most memory of one name and its spelling; more is not remembered."""

_ENTRY_BYTES: Final = 150  # in a dictionary that has grown, while it is copied to grow again


class Spellings(dict[str, bytes]):
    """How names are spelled. All are forgotten when they take more than NAMES_BYTES."""

    def __init__(self, spell: Callable[[str], bytes]) -> None:
        super().__init__()
        self._spell = spell
        self._bytes = 0

    def __missing__(self, name: str) -> bytes:
        spelling = self._spell(name)
        weight = getsizeof(name) + getsizeof(spelling) + _ENTRY_BYTES
        if weight > NAME_BYTES:
            return spelling
        if self._bytes + weight > NAMES_BYTES:
            self.clear()
            self._bytes = 0
        self._bytes += weight
        self[name] = spelling
        return spelling


def _member(name: str) -> bytes:
    return json.encode(name) + b":"


def _step(name: str) -> bytes:
    return b"/" + json.encode(name.replace("~", "~0").replace("/", "~1"))[1:-1]


MEMBER_NAMES: Final = Spellings(_member)
"""Names as keys of a JSON object, `"amount":`; for all shards.

A dictionary, because it is read for every attribute of every event.
"""

_POINTER_STEPS: Final = Spellings(_step)


def pointer_step(name: str) -> bytes:
    """Return the name as a step of a JSON pointer (RFC 6901) inside a JSON string: `/amount`."""
    return _POINTER_STEPS[name]


def is_no_field(name: str) -> bool:
    """Return whether msgspec takes the name for no field's: it would have to be escaped."""
    return any(character in '"\\' or character < " " for character in name)
