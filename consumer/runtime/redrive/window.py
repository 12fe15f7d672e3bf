"""One window of dead letters on its way to Nakadi, until each is accepted or refused.

Ownership: it owns the tickets of its window and the event type's flow. One request at a time: the
queue's calls take longer than Nakadi's. A key's events go one after the other, by sequence; one
that is refused stays in the queue and holds up nobody, as it did when it became a dead letter.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

import structlog

from consumer.core.backlog.queue import KeyOrderedQueue
from consumer.core.backlog.ticket import Ticket, bytes_of, cost_of
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.dead_letters.redrive import Fate
from consumer.core.publishing.flow import Flow
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
from consumer.core.reports.redrive_report import NAMED
from consumer.runtime.publishing.sender import SEND_TIMEOUT, tell_split
from consumer.runtime.redrive.received_messages import RedriveEnded

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable, Sequence

    from consumer.core.dead_letters.redrive import Deliverable
    from consumer.core.limits import PublishLimits
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.settlement import Settlement, Verdict
    from consumer.core.reports.redrive_report import RedriveReport
    from consumer.ports import Chance, Clock, Publisher
    from consumer.runtime.redrive.received_messages import ReceivedMessages

log = structlog.get_logger()

PATIENCE_SECONDS = 120.0
"""An outage, or a partition that stays down, ends the run after so long without any progress."""

NAP_SECONDS = 1.0
"""Longest pause between two looks at the visibility of what is open, and for a signal."""


class Redelivery:
    """Sends windows one after the other; what it learnt of the event type lasts."""

    def __init__(
        self,
        *,
        port: Publisher,
        messages: ReceivedMessages,
        report: RedriveReport,
        limits: PublishLimits,
        clock: Clock,
        chance: Chance,
        called_off: asyncio.Event,
        progressed: Callable[[], None],
    ) -> None:
        self._port = port
        self._messages = messages
        self._report = report
        self._limits = limits
        self._clock = clock
        self._chance = chance
        self._called_off = called_off
        self._progressed = progressed
        self._flow = Flow(limits)
        self._queue = KeyOrderedQueue()
        self._letters: dict[Ticket, Deliverable] = {}
        self._progress_at = 0.0
        self._trouble = "no answer"

    async def send(self, window: Sequence[Deliverable]) -> None:
        """Until all are settled. Raises RedriveEnded if that takes an operator, or too long."""
        for letter in sorted(window, key=lambda each: each.place):
            ticket = _ticket(letter)
            self._letters[ticket] = letter
            self._queue.push(ticket)
        self._progress_at = self._clock.now()
        while self._queue.events:
            await self._turn()

    async def _turn(self) -> None:
        now = self._clock.now()
        if self._called_off.is_set():
            raise RedriveEnded("it was called off")
        if now - self._progress_at > PATIENCE_SECONDS:
            raise RedriveEnded(f"no progress for {PATIENCE_SECONDS:g} s, last {self._trouble}")
        pause = self._pause(now)
        if pause > 0:
            await self._messages.keep()
            await self._clock.sleep(min(pause, NAP_SECONDS))
            return
        parts = [self._queue.take(now, self._flow.batch_events, self._flow.batch_bytes)]
        while parts:
            halves = None if self._called_off.is_set() else await self._send(parts[-1])
            if halves is None:
                for part in parts:
                    self._queue.put_back(part)
                return
            parts[-1:] = reversed(halves)

    def _pause(self, now: float) -> float:
        wait = self._flow.wait(now, 0) or 0.0
        if wait > 0 or self._queue.ready:
            return wait
        wake = self._queue.next_wake()
        return 0.0 if wake is None else max(0.0, wake - now)

    async def _send(self, part: list[Ticket]) -> list[list[Ticket]] | None:
        """One request. Returns the parts still to be sent, None if all must wait."""
        await self._messages.keep()
        sent_at, wall = self._clock.now(), self._clock.wall()
        for ticket in part:
            ticket.attempts += 1
            ticket.last_attempt = wall
        answer = await self._port.publish([ticket.body or b"" for ticket in part])
        settlement = settle(answer, part, self._limits.max_attempts, self._chance.random())
        return await self._apply(settlement, answer, part, sent_at)

    async def _apply(
        self, settlement: Settlement, answer: Answer, part: list[Ticket], sent_at: float
    ) -> list[list[Ticket]] | None:
        match settlement:
            case Settled(verdicts):
                stored = any(isinstance(verdict, Acked) for verdict in verdicts)
                self._flow.answered(sent_at, stored=stored)
                await self._settle(part, verdicts, answer)
                return []
            case Split(too_large):
                if too_large:
                    self._flow.too_large(bytes_of(part))
                tell_split(answer, len(part))
                middle = len(part) // 2
                return [part[:middle], part[middle:]]
            case Outage(reason, retry_after, unknown):
                if reason == SEND_TIMEOUT:
                    self._flow.too_large(bytes_of(part))
                self._report.resent += len(part) if unknown else 0
                self._outage(answer, sent_at, retry_after)
            case Unauthorised():
                self._outage(answer, sent_at, None)
            case Stopped(reason):
                raise RedriveEnded(
                    f"Nakadi answered {reason.removeprefix('http_')} ({answer.detail}), flow id"
                    f" {answer.flow_id}; look at the event type, at who may write to it, and at"
                    " what stands in between"
                )
            case _:
                assert_never(settlement)
        return None

    def _outage(self, answer: Answer, sent_at: float, retry_after: float | None) -> None:
        now = self._clock.now()
        self._trouble = f"{answer.reason} {answer.detail}"
        self._flow.outage(now, sent_at, answer.reason, retry_after, self._chance.random())
        log.warning(
            "publishing_backs_off",
            reason=answer.reason,
            status=answer.status,
            detail=answer.detail,
            flow_id=answer.flow_id,
        )

    async def _settle(
        self, part: Sequence[Ticket], verdicts: Sequence[Verdict], answer: Answer
    ) -> None:
        now = self._clock.now()
        accepted: list[str] = []
        for ticket, verdict in zip(part, verdicts, strict=True):
            match verdict:
                case Retry(delay):
                    self._trouble = answer.reason
                    self._queue.give_back(ticket, now + delay if delay else 0.0)
                    continue
                case Acked():
                    accepted.append(self._name(ticket))
                case Refused():
                    self._refuse(ticket, verdict, answer)
                case _:
                    assert_never(verdict)
            self._progress_at = now
            self._queue.settle(ticket)
            del self._letters[ticket]
        self._report.fates[Fate.ACCEPTED] += len(accepted)
        await self._messages.accept(accepted)
        self._progressed()

    def _refuse(self, ticket: Ticket, refused: Refused, answer: Answer) -> None:
        """It stays. The queue keeps count of its receptions, the letter of the service's tries."""
        letter, name = self._letters[ticket].letter, self._name(ticket)
        attempts = letter.attempts + ticket.attempts
        self._report.count(Fate.REFUSED, name, f"{refused.reason}, tried {attempts} times")
        self._report.refusals[refused.reason] += 1
        self._messages.leave(name)
        if self._report.fates[Fate.REFUSED] <= NAMED:
            log.error(
                "event_refused",
                message=name,
                shard=letter.shard_id,
                sequence=ticket.sequence,
                reason=refused.reason,
                attempts=attempts,
                receptions=self._letters[ticket].receptions,
                flow_id=answer.flow_id,
            )

    def _name(self, ticket: Ticket) -> str:
        return self._letters[ticket].message_id


def _ticket(letter: Deliverable) -> Ticket:
    """It has no checkpoint to wait for it; the watermark just names its shard."""
    event = letter.event
    shard = AckWatermark(letter.letter.stream_arn, letter.letter.shard_id, 0, None)
    return Ticket(event, event.sequence, letter.lane, event.created_at, cost_of(event), shard)
