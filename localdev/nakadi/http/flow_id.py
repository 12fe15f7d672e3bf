"""Flow ids: what ties a client's request to the server's log."""

from __future__ import annotations

import secrets
import string

HEADER = "X-Flow-Id"
_LENGTH = 24
_ALPHABET = string.ascii_letters + string.digits


def flow_id(given: str | None) -> str:
    """Return the client's flow id, an empty one too, or a new one when it sent none."""
    if given is not None:
        return given.encode(errors="surrogateescape").decode(errors="replace")
    return "".join(secrets.choice(_ALPHABET) for _ in range(_LENGTH))
