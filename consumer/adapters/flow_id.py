"""Flow ids of requests to Nakadi, which says them again in its answers.

An answer whose flow id is one that this process gave to another request is the answer to that one.
Every other flow id is taken as it is: a gateway may write its own in place of ours.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

FLOW_ID: Final = "X-Flow-Id"
"""The header that has it, in requests and in answers."""

_PROCESS: Final = secrets.token_urlsafe(9)
"""What all flow ids of this process begin with. So none has to be remembered."""

_OURS: Final = re.compile(rf"{re.escape(_PROCESS)}[\w-]{{12}}", re.ASCII)


def new_flow_id() -> str:
    """Return the flow id of a request."""
    return f"{_PROCESS}{secrets.token_urlsafe(9)}"


def is_of_another(said: str | None, sent: str | None) -> bool:
    """Return whether an answer says the flow id of another request of ours than the one sent."""
    return said is not None and said != sent and _OURS.fullmatch(said) is not None
