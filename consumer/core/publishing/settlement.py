"""Settlement: what an answer of Nakadi means for each event of the request.

`settle` is the whole table of reactions as one pure function. It says what happens to the request
as a whole (`Outage`, `Stopped`, `Unauthorised`, `Split`) or to each of its events (`Settled`).
Outages are never poison: only an answer that names one event, or a request with one event in it,
can end in a dead letter.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

from consumer.core.backoff import full_jitter
from consumer.core.publishing.answer import PublishingStatus

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.publishing.answer import Answer, BatchItemResponse

REFUSALS = 3
"""A 422 that names an event is believed the third time: a node may still have the old schema."""

REFUSAL_DELAYS = (1.5, 3.5)
"""Seconds between these tries: three within about five seconds."""

FAILURE_DELAY = 0.5
FAILURE_DELAY_MAX = 30.0
"""First and longest wait, in seconds, after a 207 without the event; doubling, full jitter."""

FAILURE_DELAY_MIN = 0.05
"""Full jitter may say nought; an event that a 207 left out waits at least this long."""

_UNAVAILABLE = frozenset({408, 425, 429})


@dataclass(frozen=True, slots=True)
class Acked:
    """Stored."""


@dataclass(frozen=True, slots=True)
class Retry:
    """Send the same bytes again after `delay` seconds; its key waits. 0: at once."""

    delay: float


@dataclass(frozen=True, slots=True)
class Refused:
    """Can never be stored: a dead letter with this reason and detail."""

    reason: str
    detail: str


Verdict = Acked | Retry | Refused


@dataclass(frozen=True, slots=True)
class Settled:
    """One verdict per event, in request order."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Split:
    """Refused without a name: send both halves apart. `too_large`: and smaller from now on."""

    too_large: bool


@dataclass(frozen=True, slots=True)
class Outage:
    """Nothing said about the events; all go back. `unknown`: they may have been stored."""

    reason: str
    retry_after: float | None
    unknown: bool


@dataclass(frozen=True, slots=True)
class Stopped:
    """The event type cannot be published to until the operator acts."""

    reason: str


@dataclass(frozen=True, slots=True)
class Unauthorised:
    """401: the token is missing, bad or expired."""


Settlement = Settled | Split | Outage | Stopped | Unauthorised

_ACKED = Acked()
_AT_ONCE = Retry(0.0)


def settle(
    answer: Answer, tickets: Sequence[Ticket], max_attempts: int, chance: float
) -> Settlement:
    """Decide. `chance` in [0, 1) spreads the waits; counts `refused` and `failed` on tickets."""
    match answer.status:
        case 200:
            return Settled((_ACKED,) * len(tickets))
        case 207 if answer.items is not None:
            return _partial(answer.items, tickets, max_attempts, chance)
        case 422 if answer.items is not None:
            return _refused(answer.items, tickets)
        case 400:
            return _unattributed(answer, tickets, "rejected", too_large=False)
        case 413:
            return _unattributed(answer, tickets, "too_large", too_large=True)
        case 401:
            return Unauthorised()
        case status if 300 <= status < 500 and status not in _UNAVAILABLE:
            return Stopped(f"http_{status}")
        case status:
            # 503 is Nakadi's own word that nothing was stored, 429 is said before the door.
            unknown = status not in (429, 503)
            return Outage(answer.reason, answer.retry_after, unknown)


def _partial(
    items: Sequence[BatchItemResponse], tickets: Sequence[Ticket], max_attempts: int, chance: float
) -> Settled:
    """207: what is submitted is stored, everything else is sent again, whatever it is called.

    A failure counts against its event only where others of its partition were stored: outages do
    not. Without the partition's name nothing is known about the others.
    """
    alive = {item.partition for item in items if item.status is PublishingStatus.SUBMITTED}
    alive.discard(None)
    verdicts: list[Verdict] = []
    for item, ticket in zip(items, tickets, strict=True):
        match item.status:
            case PublishingStatus.SUBMITTED:
                verdicts.append(_ACKED)
            case PublishingStatus.ABORTED:
                verdicts.append(_later(ticket, chance))
            case PublishingStatus.FAILED:
                ticket.failed += item.partition in alive
                if ticket.failed >= max_attempts:
                    verdicts.append(Refused("attempts_exhausted", item.detail))
                else:
                    verdicts.append(_later(ticket, chance))
            case _:
                assert_never(item.status)
    return Settled(tuple(verdicts))


def _later(ticket: Ticket, chance: float) -> Retry:
    wait = full_jitter(ticket.attempts, FAILURE_DELAY, FAILURE_DELAY_MAX, chance)
    return Retry(max(FAILURE_DELAY_MIN, wait))


def _refused(items: Sequence[BatchItemResponse], tickets: Sequence[Ticket]) -> Settlement:
    """422: nothing is stored; the failed item is the bad one, aborted ones are innocent."""
    if not any(item.status is PublishingStatus.FAILED for item in items):
        if len(tickets) > 1:
            return Split(too_large=False)
        return Settled((_count_refusal(items[0], tickets[0]),))
    return Settled(
        tuple(
            _count_refusal(item, ticket) if item.status is PublishingStatus.FAILED else _AT_ONCE
            for item, ticket in zip(items, tickets, strict=True)
        )
    )


def _count_refusal(item: BatchItemResponse, ticket: Ticket) -> Verdict:
    ticket.refused += 1
    if ticket.refused < REFUSALS:
        return Retry(REFUSAL_DELAYS[ticket.refused - 1])
    reasons = {"partitioning": "partitioning", "enriching": "enriching"}
    return Refused(reasons.get(item.step, "validation"), item.detail)


def _unattributed(
    answer: Answer, tickets: Sequence[Ticket], reason: str, *, too_large: bool
) -> Settlement:
    if len(tickets) > 1:
        return Split(too_large=too_large)
    return Settled((Refused(reason, answer.detail),))
