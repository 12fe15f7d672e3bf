"""Attribute names: how an event spells them, encoded once and remembered."""

from functools import lru_cache
from typing import Final

from msgspec import json

NAMES_REMEMBERED: Final = 4096  # maps may have ids for names; a table's own names are few


class MemberNames(dict[str, bytes]):
    """Names as keys of a JSON object, `"amount":`; forgets all of them when it knows too many."""

    def __missing__(self, name: str) -> bytes:
        if len(self) >= NAMES_REMEMBERED:
            self.clear()
        self[name] = member = json.encode(name) + b":"
        return member


MEMBER_NAMES: Final = MemberNames()
"""A dictionary, because every attribute of every event asks it."""


@lru_cache(NAMES_REMEMBERED)
def pointer_step(name: str) -> bytes:
    """`/amount`: the name as a step of a JSON pointer (RFC 6901) inside a JSON string."""
    return b"/" + json.encode(name.replace("~", "~0").replace("/", "~1"))[1:-1]
