"""A delivery: one batch on its way, until every ticket of it has been dealt with.

Ownership: a delivery owns its batch's tickets; each is settled, given back or handed to the dead
letter sender. Tickets and the fence are tested together right before each send, without an await
in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, assert_never

import structlog

from consumer.core.backlog.ticket import TicketState, bytes_of
from consumer.core.publishing.flow import FlowState
from consumer.core.publishing.partition_outcome import Share
from consumer.core.publishing.settlement import (
    Acked,
    Outage,
    Refused,
    Retry,
    Settled,
    Split,
    Stopped,
    Unauthorised,
    settle,
)
from consumer.runtime.publishing.dead_letters import EXPIRED
from consumer.runtime.publishing.hot_keys import HotKeys

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.ticket import Ticket
    from consumer.core.leases.fence import Fence
    from consumer.core.limits import PublishLimits
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.lanes import PartitionLane
    from consumer.core.publishing.settlement import Settlement, Verdict
    from consumer.observability.metrics import Metrics
    from consumer.ports import Chance, Clock, Publisher
    from consumer.runtime.publishing.backlog import Backlog
    from consumer.runtime.publishing.dead_letters import DeadLetterSender
    from consumer.runtime.publishing.event_type import EventType

log = structlog.get_logger()

SEND_TIMEOUT = "send_timeout"
"""The request could not be written in time: the way to Nakadi is too narrow for this much."""

TIMEOUT = "timeout"
"""The answer did not come in time: in a lane that says no more than that its partition is down."""

SMOOTHING = 0.2
"""Weight of the newest request in `round_trip`."""


@dataclass(frozen=True, slots=True)
class _Request:
    part: list[Ticket]
    sent_at: float
    lane: PartitionLane | None


class Delivery:
    """Sends batches of one event type.

    `round_trip` is the recent length, in seconds, of requests that travelled in no lane.
    """

    def __init__(
        self,
        *,
        port: Publisher,
        backlog: Backlog,
        dead_letters: DeadLetterSender,
        event_type: EventType,
        fence: Fence,
        limits: PublishLimits,
        clock: Clock,
        chance: Chance,
        metrics: Metrics,
    ) -> None:
        self._port = port
        self._backlog = backlog
        self._dead_letters = dead_letters
        self._event_type = event_type
        self._flow = event_type.flow
        self._fence = fence
        self._limits = limits
        self._clock = clock
        self._chance = chance
        self._metrics = metrics
        self._hot_keys = HotKeys(backlog.queue, limits.key_run_events, metrics)
        self.round_trip = 0.05

    async def deliver(self, batch: list[Ticket], lane: PartitionLane | None = None) -> None:
        """Send a batch, in halves where its culprit has to be found; `lane` is where it travels."""
        parts = [batch]
        while parts:
            part = self._sendable(parts.pop())
            if not part:
                continue
            halves = await self._send(part, lane)
            if halves is not None:
                parts.extend(reversed(halves))
            if halves is None or (parts and self._flow.state is FlowState.STOPPED):
                for rest in parts:
                    self._backlog.put_back(rest)
                return

    def _sendable(self, part: list[Ticket]) -> list[Ticket]:
        """What of a part may be sent now: held, fenced, young enough, next of its key."""
        now = self._clock.now()
        fenced = self._fence.holds(now, self._fence.epoch)
        max_age = self._limits.max_record_age
        oldest = self._clock.wall() - max_age if max_age is not None else None
        good: list[Ticket] = []
        held_up = ""  # the key of which nothing more may travel in this request
        for ticket in part:
            held = fenced and ticket.state is not TicketState.REVOKED
            held = held and ticket.watermark.epoch == self._fence.epoch
            leads = self._backlog.queue.leads(ticket)
            # One that was refused goes alone: those before it in its run would fall with it again.
            follows = bool(good) and good[-1].key == ticket.key != held_up and not ticket.refused
            expired = oldest is not None and ticket.created_at < oldest
            if held and leads and expired:
                self._dead_letters.accept(ticket, Refused(EXPIRED, "older than the limit"))
            elif held and (leads or follows) and not expired:
                good.append(ticket)
                continue
            else:
                self._backlog.give_back(ticket)
            held_up = ticket.key
        return good

    async def _send(
        self, part: list[Ticket], lane: PartitionLane | None
    ) -> list[list[Ticket]] | None:
        """One request. Returns the parts still to be sent, None if the whole batch must wait."""
        sent_at, wall = self._clock.now(), self._clock.wall()
        bodies: list[bytes] = []
        for ticket in part:
            ticket.attempts += 1
            ticket.first_attempt = ticket.first_attempt or wall
            ticket.last_attempt = wall
            bodies.append(ticket.body or b"")
        self._metrics.publish_in_flight.inc()
        try:
            answer = await self._port.publish(bodies)
        finally:
            self._metrics.publish_in_flight.dec()
        request = _Request(part, sent_at, lane)
        self._measure(answer, request)
        settlement = settle(answer, part, self._limits.max_attempts, self._chance.random())
        self._watch_partitions(answer, request)
        return self._apply(settlement, answer, request)

    def _watch_partitions(self, answer: Answer, request: _Request) -> None:
        """Which partitions took their share? Keys of those that answer again rejoin the others."""
        ended: list[str] = []
        lane, sent_at = request.lane, request.sent_at
        if answer.status == 207 and answer.items is not None:
            ended = self._event_type.observe(answer, request.part, sent_at)
        elif answer.status == 200 and lane is not None:
            ended = [lane.name] * self._event_type.partition_answered(lane.name, sent_at)
        for name in ended:
            self._backlog.queue.rejoin(name)

    def _apply(
        self, settlement: Settlement, answer: Answer, request: _Request
    ) -> list[list[Ticket]] | None:
        part, sent_at = request.part, request.sent_at
        match settlement:
            case Settled(verdicts):
                stored = any(isinstance(verdict, Acked) for verdict in verdicts)
                self._event_type.answered(sent_at, stored=stored)
                self._settle(part, verdicts, answer)
                return []
            case Split(too_large):
                if too_large:
                    self._flow.too_large(bytes_of(part))
                tell_split(answer, len(part))
                return _halves(part)
            case Outage():
                self._outage(settlement, answer, request)
            case Unauthorised():
                self._event_type.outage(sent_at, "http_401", None, **_facts(answer))
            case Stopped(reason):
                self._event_type.stop(reason, **_facts(answer))
            case _:
                assert_never(settlement)
        self._return(part, answer)
        return None

    def _outage(self, outage: Outage, answer: Answer, request: _Request) -> None:
        part, sent_at, lane = request.part, request.sent_at, request.lane
        if outage.reason == SEND_TIMEOUT:
            self._flow.too_large(bytes_of(part))
        if outage.unknown:
            self._metrics.publish_unknown.inc(len(part))
        if lane is not None and outage.reason == TIMEOUT:
            self._event_type.partition_failed(Share(lane.name, part), sent_at, answer)
            return
        self._event_type.outage(sent_at, outage.reason, outage.retry_after, **_facts(answer))

    def _return(self, part: list[Ticket], answer: Answer) -> None:
        """The whole request failed: its keys go to the front again."""
        self._metrics.publish_retries.labels(reason=answer.reason).inc(len(part))
        if self._flow.state is FlowState.STOPPED:
            for ticket in part:  # to the back: the next probe tries another key
                self._backlog.give_back(ticket)
        else:
            self._backlog.put_back(part)

    def _settle(self, part: Sequence[Ticket], verdicts: Sequence[Verdict], answer: Answer) -> None:
        """Carry out the verdicts: of a run only what has nothing unsettled before it is acked."""
        now = self._clock.now()
        acked: list[Ticket] = []
        pairs = zip(part, verdicts, strict=True)
        for _, run in groupby(pairs, key=lambda pair: pair[0].key):
            held_up = False
            for ticket, verdict in run:
                if held_up:
                    self._backlog.give_back(ticket)
                elif isinstance(verdict, Acked):
                    acked.append(ticket)
                    continue
                else:
                    # What stands before it in its run must leave the lane first.
                    self._backlog.settle(acked)
                    acked.clear()
                    self._hold_up(ticket, verdict, answer, now)
                held_up = True
        self._metrics.events_published.inc(
            sum(1 for verdict in verdicts if isinstance(verdict, Acked))
        )
        if acked:
            self._hot_keys.look(acked, now)
            self._backlog.settle(acked)

    def _hold_up(
        self, ticket: Ticket, verdict: Retry | Refused, answer: Answer, now: float
    ) -> None:
        match verdict:
            case Retry(delay):
                self._metrics.publish_retries.labels(reason=answer.reason).inc()
                self._backlog.give_back(ticket, now + delay if delay else 0.0)
            case Refused(reason, _):
                log.error(
                    "event_refused",
                    shard=ticket.watermark.shard_id,
                    sequence=ticket.sequence,
                    reason=reason,
                    attempts=ticket.attempts,
                    flow_id=answer.flow_id,
                )
                self._dead_letters.accept(ticket, verdict)
            case _:
                assert_never(verdict)

    def _measure(self, answer: Answer, request: _Request) -> None:
        seconds = self._clock.now() - request.sent_at
        self._metrics.publish_batch_events.observe(len(request.part))
        self._metrics.publish_duration_seconds.labels(outcome=answer.reason).observe(seconds)
        if request.lane is None:
            self.round_trip += SMOOTHING * (seconds - self.round_trip)


def tell_split(answer: Answer, events: int) -> None:
    """Log that a batch of so many was refused without a name."""
    log.warning(
        "batch_refused",
        status=answer.status,
        events=events,
        flow_id=answer.flow_id,
        action="sending both halves apart until the refused event is alone",
    )


def _halves(part: list[Ticket]) -> list[list[Ticket]]:
    """Two halves, cut between two keys where there are two."""
    middle = len(part) // 2
    cut = middle
    while cut < len(part) and part[cut].key == part[cut - 1].key:
        cut += 1
    if cut == len(part):
        cut = middle
        while cut > 0 and part[cut].key == part[cut - 1].key:
            cut -= 1
    if cut == 0:
        cut = middle
    return [part[:cut], part[cut:]]


def _facts(answer: Answer) -> dict[str, object]:
    """What the operators of the bus ask for."""
    return {"status": answer.status, "detail": answer.detail, "flow_id": answer.flow_id}
