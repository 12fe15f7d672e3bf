"""Wildcards: `*` stands for any text, also for none; a backslash makes `*` and itself plain.

A match takes linear time: the text between two asterisks is looked for once, from left to right,
and the leftmost place is always the right one.
"""

from __future__ import annotations

from msgspec import Struct

_ESCAPABLE = "*\\"


class Wildcard(Struct, frozen=True):
    """A text with gaps: it begins with `head`, ends with `tail`, and has `middle` in between."""

    head: str
    middle: tuple[str, ...]
    tail: str | None  # None if there is no asterisk: then `head` is all of it

    def matches(self, text: str) -> bool:
        """Return whether all of the text is matched."""
        if self.tail is None:
            return text == self.head
        end = len(text) - len(self.tail)
        place = len(self.head)
        if end < place or not text.startswith(self.head) or not text.endswith(self.tail):
            return False
        for part in self.middle:
            place = text.find(part, place, end)
            if place < 0:
                return False
            place += len(part)
        return True


def read_wildcard(pattern: str) -> Wildcard:
    """Return the wildcard that is written so. Raise ValueError if AWS would refuse it."""
    parts: list[str] = [""]
    characters = iter(enumerate(pattern, 1))
    for number, character in characters:
        if character == "*":
            if pattern[number : number + 1] == "*":
                raise ValueError(f"two asterisks in a row, at character {number}")
            parts.append("")
        elif character == "\\":
            escaped = pattern[number : number + 1]
            if not escaped or escaped not in _ESCAPABLE:
                raise ValueError(f"a backslash before neither * nor \\, at character {number}")
            parts[-1] += escaped
            next(characters)
        else:
            parts[-1] += character
    head, *rest = parts
    return Wildcard(head, tuple(rest[:-1]), rest[-1]) if rest else Wildcard(head, (), None)
