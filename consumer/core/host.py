"""Is this a host that can be looked up? What is none fails at every request, and not at the start.

Resolvers raise errors of their own for names that cannot be: an empty label, one of 64 letters.
"""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

NAME_BYTES: Final = 253
"""Longest name of a host, as it travels (RFC 1035); a label has at most 63 of them."""

HOST_PATTERN: Final = (
    r"[^\x00-,./:-@\[-^`{-\x7f]{1,63}(\.[^\x00-,./:-@\[-^`{-\x7f]{1,63})*\.?"
    r"|\[[0-9a-fA-F:.]*:[0-9a-fA-F:.]*\]"
)
"""What a host looks like in a URL. Python, Go and ECMAScript read it alike."""

_HOST = re.compile(HOST_PATTERN)


def is_host(text: str) -> bool:
    """Return whether this is a name of at most 253 bytes, or an address; IPv6 has brackets.

    A name whose last label is a number is an IPv4 address or none (as browsers have it).
    """
    if not _HOST.fullmatch(text):
        return False
    try:
        if text.startswith("["):
            return bool(IPv6Address(text[1:-1]))
        name = text.removesuffix(".").encode("idna").decode()
        if name.rpartition(".")[2].isdigit():
            return bool(IPv4Address(name))
    except ValueError:  # as a UnicodeError is
        return False
    return len(name) <= NAME_BYTES and _HOST.fullmatch(name) is not None
