"""Secrets: what a header can carry as one, and what is not shown of a URL."""

from __future__ import annotations

import re

_USER_AND_PASSWORD = re.compile(r"""(?<=://)[^\s/?#"]*@""")


def secret_word(text: str) -> str | None:
    """Return the secret without the white space that files and shells leave around it.

    Return None for text that no header can carry, such as a token that a line break cuts in two.
    """
    words = text.split()
    whole = len(words) == 1 and text.isascii() and words[0].isprintable()
    return words[0] if whole else None


def without_passwords(text: str) -> str:
    """Return the text with user and password of every URL as `***`, as of a proxy's.

    A JSON document remains one: no quotation mark is replaced.
    """
    return _USER_AND_PASSWORD.sub("***@", text) if "://" in text else text
