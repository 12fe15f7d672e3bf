"""Reaction: what an answer of Nakadi means for each event of the request.

`react` is the whole table of reactions as one pure function. It returns what happens to the
request as a whole (`Outage`, `Stopped`, `Unauthorised`, `Split`) or a verdict on each of its events
(`Verdicts`) with the new count of its tries; it changes nothing. An outage never makes a dead
letter: only an answer that names an event, or one to a request with a single event, can do so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from consumer.core.backlog.queued_event import UNTRIED, Tries
from consumer.core.backoff import full_jitter
from consumer.core.publishing.answer import PublishingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer, BatchItemResponse

    Sent = QueuedEvent[object]

REFUSALS = 3
"""The third 422 that names an event refuses it: until then a node may have an older schema."""

REFUSAL_DELAYS = (1.5, 3.5)
"""Seconds between these tries: three of them within about five seconds."""

FAILURE_DELAY = 0.5
FAILURE_DELAY_MAX = 30.0
"""First and longest wait, in seconds, after a 207 by which the event was not stored.

The waits double, with full jitter.
"""

FAILURE_DELAY_MIN = 0.05
"""Full jitter may give a wait of zero; an event that a 207 did not store waits at least this."""

EXPIRED = "expired"
"""Reason of a refusal by age. The dead letter limit does not count it: the event is not bad."""

_UNAVAILABLE = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Acked:
    """The event is stored."""


@dataclass(frozen=True, slots=True)
class Retry:
    """The same bytes are sent again after `delay` seconds (0: at once); the event's key waits."""

    delay: float
    tries: Tries = UNTRIED


@dataclass(frozen=True, slots=True)
class Refused:
    """The event can never be stored: it becomes a dead letter with this reason and detail."""

    reason: str
    detail: str
    tries: Tries = UNTRIED


Verdict = Acked | Retry | Refused


@dataclass(frozen=True, slots=True)
class Verdicts:
    """The answer is about each event: one verdict per event, in request order."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """The request is refused and no event is named: both halves are sent apart.

    `too_large`: further requests are to be smaller.
    """

    too_large: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """The answer is not about the events: all are sent again. `unknown`: they may be stored.

    `retry_after` is in seconds.
    """

    reason: str
    retry_after: float | None
    unknown: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """Nothing can be published to the event type until the operator acts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """The token is missing, wrong or expired (401)."""


Reaction = Verdicts | Split | Outage | Stopped | Unauthorised

_ACKED = Acked()


def react(answer: Answer, events: Sequence[Sent], max_attempts: int, chance: float) -> Reaction:
    """Decide what the answer means for these events. `chance` in [0, 1) spreads the waits.

    An event that failed `max_attempts` times is refused, as far as `Tries.failed` counts it.
    """
    match answer.status:
        case 200:
            return Verdicts((_ACKED,) * len(events))
        case 207 if answer.items is not None:
            return _partial(answer.items, events, max_attempts, chance)
        case 422 if answer.items is not None:
            return _refused(answer.items, events)
        case 400:
            return _unattributed(answer, events, "rejected", too_large=False)
        case 413:
            return _unattributed(answer, events, "too_large", too_large=True)
        case 401:
            return Unauthorised()
        case status if 300 <= status < 500 and status not in _UNAVAILABLE:
            return Stopped(f"http_{status}")
        case status:
            # Nakadi answers 503 only if nothing was stored, and 429 before it reads the events.
            unknown = status not in (429, 503)
            return Outage(answer.reason, answer.retry_after, unknown)


def _partial(
    items: Sequence[BatchItemResponse], events: Sequence[Sent], max_attempts: int, chance: float
) -> Verdicts:
    """Return the verdicts of a 207: a submitted event is stored, any other is sent again.

    A failure counts against its event only if another event of its partition was stored, so an
    outage of the partition does not count. Without the partition's name it does not count either.
    """
    alive = {item.partition for item in items if item.status is PublishingStatus.SUBMITTED}
    alive.discard(None)
    verdicts: list[Verdict] = []
    for item, event in zip(items, events, strict=True):
        match item.status:
            case PublishingStatus.SUBMITTED:
                verdicts.append(_ACKED)
            case PublishingStatus.ABORTED:
                verdicts.append(Retry(_wait(event, chance), event.tries))
            case PublishingStatus.FAILED:
                refused, failed = event.tries
                tries = Tries(refused, failed + (item.partition in alive))
                if tries.failed >= max_attempts:
                    verdicts.append(Refused("attempts_exhausted", item.detail, tries))
                else:
                    verdicts.append(Retry(_wait(event, chance), tries))
            case _:
                assert_never(item.status)
    return Verdicts(tuple(verdicts))


def _wait(event: Sent, chance: float) -> float:
    wait = full_jitter(event.attempts, FAILURE_DELAY, FAILURE_DELAY_MAX, chance)
    return max(FAILURE_DELAY_MIN, wait)


def _refused(items: Sequence[BatchItemResponse], events: Sequence[Sent]) -> Reaction:
    """Return the meaning of a 422: nothing is stored; only failed items count against events."""
    if not any(item.status is PublishingStatus.FAILED for item in items):
        if len(events) > 1:
            return Split(too_large=False)
        return Verdicts((_refusal(items[0], events[0]),))
    return Verdicts(
        tuple(
            _refusal(item, event)
            if item.status is PublishingStatus.FAILED
            else Retry(0.0, event.tries)
            for item, event in zip(items, events, strict=True)
        )
    )


def _refusal(item: BatchItemResponse, event: Sent) -> Verdict:
    refused, failed = event.tries
    tries = Tries(refused + 1, failed)
    if tries.refused < REFUSALS:
        return Retry(REFUSAL_DELAYS[refused], tries)
    reasons = {"partitioning": "partitioning", "enriching": "enriching"}
    return Refused(reasons.get(item.step, "validation"), item.detail, tries)


def _unattributed(
    answer: Answer, events: Sequence[Sent], reason: str, *, too_large: bool
) -> Reaction:
    if len(events) > 1:
        return Split(too_large=too_large)
    return Verdicts((Refused(reason, answer.detail, events[0].tries),))
