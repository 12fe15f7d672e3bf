"""The sender: sends one batch to Nakadi until each event is settled, given back or refused.

Ownership: it owns the batch while it sends. A refused event is passed to its origin. Right before
each request, also one with a half of the batch, the origin is asked whether each event may be sent,
with no await in between.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Generic, assert_never

import structlog
from msgspec import Struct

from consumer.core.backlog.queued_event import ANY_COMPANY, Of_co, bytes_of
from consumer.core.publishing.attribution import attributed
from consumer.core.publishing.flow import FlowState
from consumer.core.publishing.halves import halved, halves
from consumer.core.publishing.partition_outcome import PartitionOutcome
from consumer.core.publishing.reaction import (
    Acked,
    Circumstances,
    FailsAlone,
    Outage,
    Refused,
    Retry,
    Split,
    Stopped,
    Unauthorised,
    Verdicts,
    react,
)
from consumer.observability.publishing_metrics import PublishingMetrics
from consumer.runtime.publishing.expiry import TOO_OLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.lanes import PartitionLane
    from consumer.core.publishing.reaction import Reaction, Verdict
    from consumer.ports import Publisher
    from consumer.runtime.instruments import Instruments
    from consumer.runtime.publishing.outlet import Outlet

log = structlog.get_logger()

SEND_TIMEOUT = "send_timeout"
"""Reason of an answer: the request could not be written in time, so it is too large."""

INCOMPLETE = "incomplete_answer"
"""Reason of a retry: the answer has items for other events of the request, and none for this."""

TIMEOUT = "timeout"
"""Reason of an answer: it did not come in time. In a lane it counts against the partition only."""


class _Request(Struct, Generic[Of_co], frozen=True):
    part: list[QueuedEvent[Of_co]]
    sent_at: float
    lane: PartitionLane | None


class Sender(Generic[Of_co]):
    """Sends batches of one outlet. Several calls of `send` may run at the same time."""

    def __init__(self, outlet: Outlet[Of_co], port: Publisher, instruments: Instruments) -> None:
        self._outlet = outlet
        self._event_type = outlet.event_type
        self._flow = outlet.event_type.flow
        self._port = port
        self._clock = instruments.clock
        self._chance = instruments.chance
        self._metrics = PublishingMetrics(instruments.metrics, outlet.name)

    async def send(
        self, batch: list[QueuedEvent[Of_co]], lane: PartitionLane | None = None
    ) -> None:
        """Send a batch, in halves until a refused event is found; `lane` is its lane, if any."""
        parts = [batch]
        while parts:
            part = self._sendable(parts.pop())
            if not part:
                continue
            halves = await self._request(part, lane)
            if halves is not None:
                parts.extend(reversed(halves))
            if halves is None or (parts and self._flow.state is FlowState.STOPPED):
                for rest in parts:
                    self._outlet.put_back(rest)
                return

    def _sendable(self, part: list[QueuedEvent[Of_co]]) -> list[QueuedEvent[Of_co]]:
        """Return the events that may be sent now: allowed, young enough, next of their key."""
        now, outlet, origin = self._clock.now(), self._outlet, self._outlet.origin
        may_send, leads = origin.may_send, outlet.queue.leads
        oldest = outlet.limits.expired_before(self._clock.wall())
        good: list[QueuedEvent[Of_co]] = []
        held_up = ""  # the key of which nothing more may travel in this request
        for event in part:
            expired = event.created_at < oldest
            if not may_send(event, now):
                outlet.give_back(event)
            elif leads(event):
                if not expired:
                    good.append(event)
                    continue
                origin.refused(event, TOO_OLD, None)
            # One that was refused is not sent behind others of its key: they would fail with it.
            elif (
                good
                and good[-1].key == event.key != held_up
                and not (event.tries.refused or expired)
            ):
                good.append(event)
                continue
            else:
                outlet.give_back(event)
            held_up = event.key
        return good

    async def _request(
        self, part: list[QueuedEvent[Of_co]], lane: PartitionLane | None
    ) -> list[list[QueuedEvent[Of_co]]] | None:
        """Send one request. Return the parts that are left to send, None if the batch must wait."""
        sent_at, wall = self._clock.now(), self._clock.wall()
        bodies: list[bytes] = []
        for event in part:
            event.attempts += 1
            event.first_attempt = event.first_attempt or wall
            event.last_attempt = wall
            bodies.append(event.body or b"")
        self._outlet.event_type.sent = True
        self._metrics.publish_in_flight.inc()
        try:
            answer = attributed(await self._port.publish(bodies), part)
        finally:
            self._metrics.publish_in_flight.dec()
        request = _Request(part, sent_at, lane)
        self._measure(answer, request)
        given = Circumstances(
            self._outlet.limits.max_attempts,
            self._clock.now(),
            self._chance.random(),
            self._event_type.signs,
        )
        reaction = react(answer, part, given)
        self._watch_partitions(answer, request)
        return self._apply(reaction, answer, request)

    def _measure(self, answer: Answer, request: _Request[Of_co]) -> None:
        seconds = self._clock.now() - request.sent_at
        self._metrics.answered(answer.reason, len(request.part), seconds)
        if request.lane is None:
            self._event_type.took(seconds)

    def _watch_partitions(self, answer: Answer, request: _Request[Of_co]) -> None:
        """Report which partitions took their part; keys leave the lanes that are closed by it."""
        ended: list[str] = []
        lane, sent_at = request.lane, request.sent_at
        if answer.status in (200, 207) and answer.items is not None:
            ended = self._event_type.observe(answer, request.part, sent_at)
        elif answer.status == 200 and lane is None:
            self._event_type.stored(request.part, sent_at)
        elif answer.status == 200 and lane is not None:
            self._event_type.signs.stored_in(lane.name, sent_at)
            ended = [lane.name] * self._event_type.partition_answered(lane.name, sent_at)
        for name in ended:
            self._outlet.queue.rejoin(name)

    def _apply(
        self, reaction: Reaction, answer: Answer, request: _Request[Of_co]
    ) -> list[list[QueuedEvent[Of_co]]] | None:
        part, sent_at = request.part, request.sent_at
        match reaction:
            case Verdicts(verdicts):
                stored = any(isinstance(verdict, Acked) for verdict in verdicts)
                self._event_type.answered(sent_at, stored=stored)
                self._settle(part, verdicts, answer)
                return []
            case FailsAlone(verdict):
                self._count_unknown(part)
                self._event_type.fails_alone(part[0], answer)
                self._note(part[0], verdict)
                self._hold_up(part[0], verdict, answer, self._clock.now())
                return []
            case Split(too_large):
                if too_large:
                    self._flow.too_large(bytes_of(part))
                log.warning(
                    "batch_refused",
                    status=answer.status,
                    events=len(part),
                    flow_id=answer.flow_id,
                    action="nothing; both halves are sent apart until the refused event is alone",
                )
                return halves(part)
            case Outage():
                self._outage(reaction, answer, request)
            case Unauthorised():
                self._event_type.outage(sent_at, answer, "http_401", None)
            case Stopped(reason):
                self._event_type.stop(reason, answer)
            case _:
                assert_never(reaction)
        self._return(part, answer)
        return None

    def _outage(self, outage: Outage, answer: Answer, request: _Request[Of_co]) -> None:
        part, sent_at, lane = request.part, request.sent_at, request.lane
        if outage.reason == SEND_TIMEOUT:
            self._flow.too_large(bytes_of(part))
        if lane is not None and outage.reason == TIMEOUT:
            outcome = PartitionOutcome(lane.name, [*part])
            self._event_type.partition_failed(outcome, sent_at, answer)
        else:
            self._event_type.outage(sent_at, answer, outage.reason, outage.retry_after)
        if outage.unknown:
            self._count_unknown(part)
            self._doubt(part)

    def _doubt(self, part: list[QueuedEvent[Of_co]]) -> None:
        """Send these events in smaller requests from now on: one of them may be the cause."""
        for event in part:
            event.company = min(event.company, halved(len(part)))
        if len(part) == 1:
            part[0].tries = part[0].tries._replace(failed_at=self._clock.now())
            self._event_type.missed(part[0])

    def _count_unknown(self, part: list[QueuedEvent[Of_co]]) -> None:
        self._metrics.publish_unknown.inc(len(part))
        self._event_type.unknown += len(part)

    def _return(self, part: list[QueuedEvent[Of_co]], answer: Answer) -> None:
        """Give back the events of a request that failed as a whole."""
        self._metrics.retried(answer.reason, len(part))
        if self._flow.state is FlowState.STOPPED or len(part) == 1:
            for event in part:  # to the back: the next probe tries another key
                self._outlet.give_back(event)
        else:
            self._outlet.put_back(part)

    def _settle(
        self, part: Sequence[QueuedEvent[Of_co]], verdicts: Sequence[Verdict], answer: Answer
    ) -> None:
        """Carry out the verdicts. In a run, events behind one that is not acked are given back."""
        stored = sum(isinstance(verdict, Acked) for verdict in verdicts)
        self._metrics.events_published.inc(stored)
        if stored == len(part):
            self._outlet.settle(part)
            return
        now = self._clock.now()
        acked: list[QueuedEvent[Of_co]] = []
        for _, run in groupby(zip(part, verdicts, strict=True), key=_key):
            held_up = False
            for event, verdict in run:
                if not isinstance(verdict, Acked):
                    self._note(event, verdict)
                if held_up:
                    self._outlet.give_back(event)
                elif isinstance(verdict, Acked):
                    acked.append(event)
                    continue
                else:
                    # The events before it in its run must leave the queue first.
                    if acked:
                        self._outlet.settle(acked)
                        acked = []
                    self._hold_up(event, verdict, answer, now)
                held_up = True
        if acked:
            self._outlet.settle(acked)

    @staticmethod
    def _note(event: QueuedEvent[Of_co], verdict: Retry | Refused) -> None:
        event.tries = verdict.tries
        if isinstance(verdict, Retry):
            event.company = verdict.company

    def _hold_up(
        self, event: QueuedEvent[Of_co], verdict: Retry | Refused, answer: Answer, now: float
    ) -> None:
        match verdict:
            case Retry(delay):
                unsaid = answer.items is not None and verdict.company != ANY_COMPANY
                reason = INCOMPLETE if unsaid else answer.reason
                self._metrics.retried(reason)
                self._event_type.trouble.last = answer.reason
                self._outlet.give_back(event, now + delay if delay else 0.0)
            case Refused():
                self._outlet.origin.refused(event, verdict, answer.flow_id)
            case _:
                assert_never(verdict)


def _key(pair: tuple[QueuedEvent[Of_co], Verdict]) -> str:
    return pair[0].key
