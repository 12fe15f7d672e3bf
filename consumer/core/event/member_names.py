"""Attribute names as an event writes them, encoded once and remembered."""

from functools import lru_cache
from typing import Final

from msgspec import json

NAMES_REMEMBERED: Final = 4096  # maps may use ids as names; a table's own names are few


class MemberNames(dict[str, bytes]):
    """Names as keys of a JSON object, `"amount":`. All are forgotten when there are too many."""

    def __missing__(self, name: str) -> bytes:
        if len(self) >= NAMES_REMEMBERED:
            self.clear()
        self[name] = member = json.encode(name) + b":"
        return member


MEMBER_NAMES: Final = MemberNames()
"""A dictionary, because it is read for every attribute of every event."""


@lru_cache(NAMES_REMEMBERED)
def pointer_step(name: str) -> bytes:
    """Return the name as a step of a JSON pointer (RFC 6901) inside a JSON string: `/amount`."""
    return b"/" + json.encode(name.replace("~", "~0").replace("/", "~1"))[1:-1]
