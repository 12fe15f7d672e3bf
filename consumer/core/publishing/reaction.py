"""Reaction: what an answer of Nakadi means for each event of the request.

`react` is the whole table of reactions as one pure function. It returns what happens to the
request as a whole (`Outage`, `Stopped`, `Unauthorised`, `Split`), a verdict on each of its events
(`Verdicts`), or one on its only event (`FailsAlone`), with the new count of its tries; it changes
nothing.

The source of an answer decides. Only Nakadi's own word about events can refuse them at once.
Whatever else comes back (an answer of something in between, or none) is an outage, and never makes
a dead letter while it lasts: `FailsAlone` needs others that were stored meanwhile (ADR 17).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from msgspec import Struct
from msgspec.structs import replace

from consumer.core.backlog.queued_event import ANY_COMPANY, UNTRIED, Tries
from consumer.core.backoff import full_jitter
from consumer.core.publishing.answer import NOT_SENT, PublishingStatus
from consumer.core.publishing.halves import halved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer, BatchItemResponse, Items
    from consumer.core.publishing.signs_of_life import SignsOfLife

    Sent = QueuedEvent[object]

REFUSALS = 3
"""The third 422 about an event refuses it: until then a node may have an older schema."""

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

_UNAVAILABLE = frozenset({408, 413, 425, 429})


class Circumstances(Struct, frozen=True):
    """What a reaction depends on beside the answer and its events.

    An event that failed `max_attempts` times is refused, as far as `Tries.failed` counts it.
    `chance` in [0, 1) spreads the waits. `now` is in seconds of the injected clock.
    """

    max_attempts: int
    now: float
    chance: float
    signs: SignsOfLife


class Acked(Struct, frozen=True):
    """The event is stored."""


class Retry(Struct, frozen=True):
    """The same bytes are sent again after `delay` seconds (0: at once); the event's key waits.

    `company` is the most events of the request that carries it then.
    """

    delay: float
    tries: Tries = UNTRIED
    company: int = ANY_COMPANY


class Refused(Struct, frozen=True):
    """The event can never be stored: it becomes a dead letter with this reason and detail."""

    reason: str
    detail: str
    tries: Tries = UNTRIED


Verdict = Acked | Retry | Refused


class Verdicts(Struct, frozen=True):
    """The answer is about each event: one verdict per event, in request order."""

    verdicts: tuple[Verdict, ...]


class Split(Struct, frozen=True):
    """The request is refused and no event is named: both halves are sent apart.

    `too_large`: further requests are to be smaller.
    """

    too_large: bool


class Outage(Struct, frozen=True):
    """The answer is not about the events: all are sent again. `retry_after` is in seconds.

    `unknown`: they may be stored, and one of them may be the cause, so they travel in smaller
    company. Otherwise nobody has read them.
    """

    reason: str
    retry_after: float | None
    unknown: bool


class FailsAlone(Struct, frozen=True):
    """The only event of the request fails while others are stored: it waits, and nobody else."""

    verdict: Retry | Refused


class Stopped(Struct, frozen=True):
    """Nothing can be published to the event type until the operator acts."""

    reason: str


class Unauthorised(Struct, frozen=True):
    """The token is missing, wrong or expired (401)."""


Reaction = Verdicts | FailsAlone | Split | Outage | Stopped | Unauthorised

_ACKED = Acked()


def react(answer: Answer, events: Sequence[Sent], given: Circumstances) -> Reaction:
    """Decide what the answer means for these events; its items, if any, are one for each event."""
    match answer.status:
        case 200 if answer.items is None:
            return Verdicts((_ACKED,) * len(events))
        case 200 | 207 if answer.items is not None:
            return _partial(answer.items, events, given)
        case 422 if answer.items is not None:
            return _refused(answer.items, events)
        case 400 | 422 if answer.by_nakadi:
            return _rejected(answer, events)
        case 413 if len(events) > 1:
            return Split(too_large=True)
        case 401:
            return Unauthorised()
        case status if 300 <= status < 500 and status not in _UNAVAILABLE and answer.by_nakadi:
            return Stopped(f"http_{status}")
        case _:
            return _outage(answer, events, given)


def _partial(items: Items, events: Sequence[Sent], given: Circumstances) -> Verdicts:
    """Return the verdicts of a 207: a submitted event is stored, any other is sent again.

    A failure counts against its event only if another event of its partition was stored, in this
    request or since the event failed before, so an outage of the partition does not count. Without
    the partition's name it does not count either. An event of which nothing is said travels in
    smaller company.
    """
    alive = {item.partition for item in items if item is not None and _is_stored(item)}
    alive.discard(None)
    verdicts: list[Verdict] = []
    for item, event in zip(items, events, strict=True):
        wait = Retry(_wait(event, given.chance), event.tries)
        if item is None:
            verdicts.append(replace(wait, company=halved(len(events))))
            continue
        match item.status:
            case PublishingStatus.SUBMITTED:
                verdicts.append(_ACKED)
            case PublishingStatus.ABORTED:
                verdicts.append(wait)
            case PublishingStatus.FAILED:
                counts = item.partition in alive or _is_alive(item, event, given)
                tries = _failed(event, given, counts=counts)
                if tries.failed >= given.max_attempts:
                    verdicts.append(Refused("attempts_exhausted", item.detail, tries))
                else:
                    verdicts.append(replace(wait, tries=tries))
            case _:
                assert_never(item.status)
    return Verdicts(tuple(verdicts))


def _is_stored(item: BatchItemResponse) -> bool:
    return item.status is PublishingStatus.SUBMITTED


def _is_alive(item: BatchItemResponse, event: Sent, given: Circumstances) -> bool:
    """Return whether the partition that an item names has stored something since the last try."""
    since = event.tries.failed_at
    return item.partition is not None and given.signs.stored_since(item.partition, since)


def _failed(event: Sent, given: Circumstances, *, counts: bool) -> Tries:
    return event.tries._replace(failed=event.tries.failed + counts, failed_at=given.now)


def _outage(answer: Answer, events: Sequence[Sent], given: Circumstances) -> Outage | FailsAlone:
    """Return the meaning of an answer that is not about the events, or of none.

    Nakadi answers 503 only if nothing was stored, and 429 before it reads the events.
    """
    unread = (answer.status == 503 and answer.by_nakadi) or answer.status == 429
    unread = unread or (answer.status == 0 and answer.reason in NOT_SENT)
    alone = _alone(answer, events[0], given) if len(events) == 1 and not unread else None
    return alone or Outage(answer.reason, answer.retry_after, unknown=not unread)


def _alone(answer: Answer, event: Sent, given: Circumstances) -> FailsAlone | None:
    """Return the verdict on an event that was sent alone and failed, None if others fail, too.

    Others must have been stored since it failed before. The try counts if no other request has
    failed as a whole since, and if the event's own partition has stored something: it may be down,
    and something in between may not wait as long as Nakadi does. A 413 is about the size, not the
    partition, so that the first one that counts is believed.
    """
    signs, since = given.signs, event.tries.failed_at
    if not signs.anything_stored_since(since):
        return None
    too_large = answer.status == 413
    counts = signs.outage_at <= since and (too_large or signs.lives(event, since))
    tries = _failed(event, given, counts=counts)
    why = f"{answer.reason} {answer.detail}".strip()
    if counts and too_large:
        return FailsAlone(Refused("too_large", why, tries))
    if tries.failed >= given.max_attempts:
        return FailsAlone(Refused("attempts_exhausted", why, tries))
    return FailsAlone(Retry(_wait(event, given.chance), tries, company=1))


def _wait(event: Sent, chance: float) -> float:
    wait = full_jitter(event.attempts, FAILURE_DELAY, FAILURE_DELAY_MAX, chance)
    return max(FAILURE_DELAY_MIN, wait)


def _refused(items: Items, events: Sequence[Sent]) -> Reaction:
    """Return the meaning of a 422: nothing is stored; only a culprit's tries count.

    A culprit is named as failed; if none is, all are sent again until one is alone.
    """
    culprit = [item is not None and (_is_failed(item) or len(items) == 1) for item in items]
    if not any(culprit):
        return Split(too_large=False)
    return Verdicts(
        tuple(
            _refusal(item, event) if item is not None and guilty else Retry(0.0, event.tries)
            for item, event, guilty in zip(items, events, culprit, strict=True)
        )
    )


def _is_failed(item: BatchItemResponse) -> bool:
    return item.status is PublishingStatus.FAILED


def _refusal(item: BatchItemResponse, event: Sent) -> Verdict:
    reasons = {"partitioning": "partitioning", "enriching": "enriching"}
    return _third(Refused(reasons.get(item.step, "validation"), item.detail, event.tries))


def _third(refused: Refused) -> Verdict:
    """Return what a 422 means for its culprit: another try, or the refusal if it is the third."""
    count = refused.tries.refused
    tries = refused.tries._replace(refused=count + 1)
    if tries.refused < REFUSALS:
        return Retry(REFUSAL_DELAYS[count], tries)
    return replace(refused, tries=tries)


def _rejected(answer: Answer, events: Sequence[Sent]) -> Reaction:
    """Return the meaning of a 400 or 422 of Nakadi without items: an event is its cause, unnamed.

    It is Nakadi's own word, a Problem, and nothing is stored.
    """
    if len(events) > 1:
        return Split(too_large=False)
    refused = Refused("rejected", answer.detail, events[0].tries)
    return Verdicts((_third(refused) if answer.status == 422 else refused,))
