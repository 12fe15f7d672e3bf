"""The ids of AWS's answers: an answer that comes a second time is not that to the next request.

AWS gives every answer an id of its own, errors too, but does not say which request it answers. So
an answer that repeats the id of an earlier one on its connection is the earlier one, sent again by
something in between. It is looked for on the connection alone that had the id first, which is
closed when it is found there: a server that says the same in every answer is believed from then on.
"""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMES: Final = ("x-amzn-RequestId", "x-amz-request-id")
"""The headers that have an answer's id; the second one is that of S3."""

MOST_IDS: Final = 1000
"""Ids that are remembered. An answer is repeated soon after it was given, or not at all."""


class AnswerIds:
    """The ids of a client's last answers."""

    def __init__(self) -> None:
        self._seen: dict[str, weakref.ref[object]] = {}  # with the connection that had it first

    def came_before(self, headers: Mapping[str, str], connection: object) -> bool:
        """Return whether an answer came on this connection before; one without id never did."""
        answer = next((headers[name] for name in NAMES if name in headers), None)
        if answer is None:
            return False
        if answer in self._seen:
            return self._seen[answer]() is connection
        self._seen[answer] = weakref.ref(connection)
        if len(self._seen) > MOST_IDS:
            del self._seen[next(iter(self._seen))]
        return False
