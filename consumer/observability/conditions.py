"""Conditions: the log lines of what lasts, from its begin through reminders to its end.

Code that meets a condition calls `warning` or `error` each time, and `over` whenever it is not so;
`core.lasting` decides which of these calls write a line. The subject of a condition is what its
fields name (`NAMING`); the other fields may differ from line to line.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from consumer.core.lasting import Lasting
from consumer.errors import LeaseTableGone

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.errors import Retryable

log = structlog.get_logger()

NAMING: Final = frozenset(
    ("stream", "shard", "sequence", "event_type", "partition", "row", "path", "waits_for")
)
"""Fields that name a subject."""

Subject = tuple[tuple[str, object], ...]


class Conditions:
    """All conditions of one part of a worker. `now` returns the seconds of one clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._lasting: dict[str, Lasting[Subject]] = {}

    def holds(self, event: str) -> bool:
        """Return whether the condition is known to last for any subject."""
        return bool(self._lasting.get(event))

    def warning(
        self, event: str, *, aspect: object = None, patience: float = 0.0, **facts: object
    ) -> None:
        """Log a warning if it is due. A new `aspect` makes it due; the first waits `patience` s."""
        self._warn(event, facts, aspect, patience)

    def example(self, event: str, example: dict[str, object], **facts: object) -> None:
        """Log a warning with an example of what it is about, which is no part of the subject."""
        due = self._due(event, facts)
        if due is not None:
            log.warning(event, **facts, **example, **due)

    def error(self, event: str, *, aspect: object = None, **facts: object) -> None:
        """Log an error if it is due. A new `aspect` makes it due."""
        due = self._due(event, facts, aspect)
        if due is not None:
            log.error(event, **facts, **due)

    def failed(self, event: str, error: Retryable, *, action: str, **facts: object) -> None:
        """Log a warning of a call that failed, with its reason and detail, if it is due.

        That the lease table is gone is one condition, `lease_table_gone`, and not one of each call.
        """
        if isinstance(error, LeaseTableGone):
            return
        told = {"reason": error.reason, "detail": str(error), "action": action}
        self._warn(event, facts | told)

    def exception(self, event: str, **facts: object) -> None:
        """Log the exception that is being handled, if it is due."""
        due = self._due(event, facts)
        if due is not None:
            log.exception(event, **facts, **due)  # noqa: LOG004 - the caller handles it

    def over(self, event: str, **subject: object) -> None:
        """Log that the condition is over for a subject, if it was said to last."""
        said = self._end(event, subject)
        if said is not None:
            log.info("condition_over", condition=event, **subject, **said)

    def lasted(self, event: str, **subject: object) -> float | None:
        """End it, too, but log nothing: return for how many seconds it lasted, if it was said."""
        said = self._end(event, subject)
        return None if said is None else float(said["lasts_seconds"])

    def _warn(
        self, event: str, facts: dict[str, object], aspect: object = None, patience: float = 0.0
    ) -> None:
        due = self._due(event, facts, aspect, patience)
        if due is not None:
            log.warning(event, **facts, **due)

    def _due(
        self, event: str, facts: dict[str, object], aspect: object = None, patience: float = 0.0
    ) -> dict[str, float] | None:
        lasting = self._lasting.setdefault(event, Lasting())
        said = lasting.met(_subject(facts), self._now(), aspect=aspect, patience=patience)
        if said is None:
            return None
        lasts = {"lasts_seconds": round(said.lasts, 1)} if said.lasts else {}
        return lasts | ({"count": said.count} if said.count > 1 else {})

    def _end(self, event: str, subject: dict[str, object]) -> dict[str, float] | None:
        lasting = self._lasting.get(event)
        if not lasting:
            return None
        said = lasting.over(_subject(subject), self._now())
        if said is None:
            return None
        left = {"count": said.count} if said.count else {}
        return {"lasts_seconds": round(said.lasts, 1)} | left


def _subject(facts: dict[str, object]) -> Subject:
    return tuple(sorted((name, fact) for name, fact in facts.items() if name in NAMING))
