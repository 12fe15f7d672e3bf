"""One open stream of a subscription: sends, waits for commits, ends."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from localdev.nakadi.answers import json_bytes
from localdev.nakadi.problem import ProblemError
from localdev.nakadi.stored_form import stored_text
from localdev.nakadi.subscription import cursor_of

if TYPE_CHECKING:
    from aiohttp import web

    from localdev.nakadi.reading import StreamOptions
    from localdev.nakadi.registry import Registry
    from localdev.nakadi.subscription import Subscription

_POLL_SECONDS = 0.02
_COMMIT_SECONDS_MAX = 60


@dataclass(frozen=True, slots=True)
class Limits:
    """How many events may be sent and not committed, and for how many seconds."""

    uncommitted: int
    commit_seconds: int

    def check(self) -> None:
        """Raise the 422 for a time out of range."""
        if self.commit_seconds > _COMMIT_SECONDS_MAX:
            raise ProblemError(422, f"commit_timeout can not be more than {_COMMIT_SECONDS_MAX}")
        if self.commit_seconds < 0:
            raise ProblemError(422, "commit_timeout can not be less than 0")


class SubscriptionStream:
    """Sends what lies behind the committed cursors, until a limit or an idle reader ends it."""

    def __init__(
        self,
        event_types: Registry,
        subscription: Subscription,
        options: StreamOptions,
        limits: Limits,
    ) -> None:
        self._event_types = event_types
        self._subscription = subscription
        self._id = subscription.stream
        self._options = options
        self._limits = limits
        self._clock = asyncio.get_running_loop().time
        now = self._clock()
        self._sent = dict(subscription.committed)
        self._count = 0
        self._ends = now + options.timeout
        self._flushes = dict.fromkeys(self._sent, now + options.flush)
        self._empty_lines = dict.fromkeys(self._sent, 0)
        self._seen = dict(subscription.committed)
        self._owing_since = now
        self._greeting = "Stream started"

    async def run(self, request: web.Request, response: web.StreamResponse) -> None:
        """Stream until a limit, the end of the subscription, or a commit that does not come."""
        while self._subscription.stream == self._id and request.transport is not None:
            over = self._over()
            if not over:
                for place in self._sent:
                    while (line := self._line(place)) is not None:
                        await response.write(line)
            elif not self._owed():
                return
            if self._commit_is_late():
                place = next(iter(self._sent))
                await response.write(self._text(place, [], "Commit timeout reached"))
                return
            await asyncio.sleep(_POLL_SECONDS)

    def _over(self) -> bool:
        limit, silent = self._options.stream_limit, self._options.keep_alive_limit
        return (
            self._clock() >= self._ends
            or 0 < limit <= self._count
            or 0 < silent <= min(self._empty_lines.values())
        )

    def _owed(self) -> int:
        """Return how many events were sent and not committed."""
        committed = self._subscription.committed
        return sum(max(sent - committed[place], 0) for place, sent in self._sent.items())

    def _commit_is_late(self) -> bool:
        if not self._owed() or self._seen != self._subscription.committed:
            self._seen = dict(self._subscription.committed)
            self._owing_since = self._clock()
        return self._clock() - self._owing_since >= self._limits.commit_seconds

    def _line(self, place: tuple[str, str]) -> bytes | None:
        """Return the next line of a place, None while it is not due."""
        event_type = self._event_types.get(place[0])
        if event_type is None:
            return None
        room = self._limits.uncommitted - self._owed()
        limit = min(self._options.batch_limit, max(room, 0))
        if self._options.stream_limit:
            limit = min(limit, self._options.stream_limit - self._count)
        taken = list(event_type.log.after(place[1], self._sent[place], limit))
        due = self._clock() >= self._flushes[place]
        full = len(taken) == self._options.batch_limit
        if not due and not (taken and (full or len(taken) == limit)):
            return None
        self._flushes[place] = self._clock() + self._options.flush
        texts = [stored_text(event_type, event) for event in taken if not event.tombstone]
        if taken:
            self._sent[place] = taken[-1].offset
        self._count += len(texts)
        self._empty_lines[place] = 0 if texts else self._empty_lines[place] + 1
        return self._text(place, texts, self._greeting)

    def _text(self, place: tuple[str, str], texts: list[str], debug: str) -> bytes:
        self._greeting = ""
        cursor = json_bytes(cursor_of(place, self._sent[place]))
        events = f',"events":[{",".join(texts)}]' if texts else ""
        info = f',"info":{{"debug":"{debug}"}}' if debug else ""
        return b'{"cursor":' + cursor + f"{events}{info}}}\n".encode(errors="replace")
