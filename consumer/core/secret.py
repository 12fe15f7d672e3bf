"""A secret that travels in a header: one word of printable ASCII."""

from __future__ import annotations


def secret_word(text: str) -> str | None:
    """The word, without the white space that files and shells leave around it.

    None for what no header can carry, a token cut in two by a line break for example.
    """
    words = text.split()
    whole = len(words) == 1 and text.isascii() and words[0].isprintable()
    return words[0] if whole else None
