"""A secret that a header can carry: one word of printable ASCII."""

from __future__ import annotations


def secret_word(text: str) -> str | None:
    """Return the secret without the white space that files and shells leave around it.

    Return None for text that no header can carry, such as a token that a line break cuts in two.
    """
    words = text.split()
    whole = len(words) == 1 and text.isascii() and words[0].isprintable()
    return words[0] if whole else None
