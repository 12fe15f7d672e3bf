"""Faults in reading, settling and publishing."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from consumer.core.backlog.budget import RESERVATION, ByteBudget
from consumer.core.backlog.queue import KeyOrderedQueue
from consumer.core.backlog.ticket import Ticket, TicketState
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.leases.lease import Lease
from consumer.core.leases.progress import Progress
from consumer.core.publishing import settlement
from consumer.core.publishing.answer import BatchItemResponse, PublishingStatus
from consumer.core.shard.cursor import Cursor
from consumer.core.stream.page import Page
from consumer.core.stream.stream import AtLatest, Position
from consumer.runtime.consumer_worker import ConsumerWorker
from consumer.runtime.publishing import backlog
from consumer.runtime.shard.checkpointer import Checkpointer
from consumer.runtime.shard.intake import Intake
from consumer.runtime.shard.page_reservations import PageReservations
from tests.simulation.mutants.plant import plant


def checkpoint_ahead_of_ack() -> None:
    original = Checkpointer.progress

    def progress(self: Checkpointer) -> Progress:
        true: Progress = original.__get__(self)
        opened = self._watermark.opened
        return replace(true, checkpoint=str(opened)) if opened else true

    plant(Checkpointer, "progress", property(progress))


def watermark_off_by_one() -> None:
    original = AckWatermark.settle

    def settle(self: AckWatermark, ticket: Ticket) -> None:
        before = self.value
        original(self, ticket)
        if self.value != before and self.head is not None:
            self.value = self.head.sequence

    plant(AckWatermark, "settle", settle)


def sequences_compared_as_strings() -> None:
    original = Cursor.read

    def read(self: Cursor, sequence: int, created_at: float) -> str | None:
        if self.last_read is not None and str(sequence) <= str(self.last_read):
            return "already_read"
        return original(self, sequence, created_at)

    plant(Cursor, "read", read)


def closing_records_dropped() -> None:
    original = Intake.take_in

    async def take_in(self: Intake, page: Page, cursor: Cursor) -> None:
        await original(self, page if page.next_iterator else replace(page, records=()), cursor)

    plant(Intake, "take_in", take_in)


def aborted_treated_as_done() -> None:
    original = settlement._partial

    def partial(items: Sequence[BatchItemResponse], *rest: Any) -> settlement.Settled:
        done = tuple(
            replace(item, status=PublishingStatus.SUBMITTED)
            if item.status is PublishingStatus.ABORTED
            else item
            for item in items
        )
        return original(done, *rest)

    plant(settlement, "_partial", partial)


def second_of_a_key_passes_its_head() -> None:
    original = KeyOrderedQueue.give_back

    def give_back(
        self: KeyOrderedQueue, ticket: Ticket, not_before: float = 0.0, *, front: bool = False
    ) -> None:
        original(self, ticket, not_before, front=front)
        lane = self._lanes.get(ticket.key)
        second = ticket.next_of_key
        if ticket.state is not TicketState.QUEUED or lane is None or second is None:
            return
        if lane.first is ticket and not lane.in_flight:
            lane.first, ticket.next_of_key, second.next_of_key = second, second.next_of_key, ticket
            lane.last = ticket if lane.last is second else lane.last

    plant(KeyOrderedQueue, "give_back", give_back)


def latest_on_a_child() -> None:
    class CursorAtLatest(Cursor):
        @property
        def position(self) -> Position:
            return AtLatest() if self.last_read is None else super().position

    original = Cursor.of

    def of(lease: Lease, started_at: float | None) -> Cursor:
        cursor = original(lease, started_at)
        if lease.parent_shard_id is None:
            return cursor
        return CursorAtLatest(**asdict(cursor))

    plant(Cursor, "of", of)


def reservation_leak() -> None:
    def give_back(self: PageReservations, size: int = RESERVATION) -> None:
        self._bytes -= size

    plant(PageReservations, "give_back", give_back)


def events_cost_nothing() -> None:
    plant(backlog, "cost_of", lambda _content: 0)


def every_reservation_granted() -> None:
    plant(ByteBudget, "_fits", lambda _self, _member: True)
    plant(ByteBudget, "_excepted", lambda _self, _member: False)


def stored_iterator_used_once() -> None:
    original = Cursor.of

    def of(lease: Lease, started_at: float | None) -> Cursor:
        cursor = original(lease, started_at)
        if lease.counter > 1:
            cursor.iterator = None
        return cursor

    plant(Cursor, "of", of)


def innocents_given_up_with_the_guilty() -> None:
    original = settlement._refused

    def refused(items: Sequence[BatchItemResponse], tickets: Any) -> Any:
        settled = original(items, tickets)
        if isinstance(settled, settlement.Settled):
            bad = [v for v in settled.verdicts if isinstance(v, settlement.Refused)]
            if bad:
                return settlement.Settled(tuple(bad[0] for _ in settled.verdicts))
        return settled

    plant(settlement, "_refused", refused)


def refused_event_follows_in_a_run() -> None:
    counts: Counter[tuple[int, int]] = Counter()

    def count_refusal(item: BatchItemResponse, ticket: Ticket) -> settlement.Verdict:
        key = (id(ticket.watermark), ticket.sequence)
        counts[key] += 1  # not on the ticket, which then looks as if it had never been refused
        if counts[key] < settlement.REFUSALS:
            return settlement.Retry(settlement.REFUSAL_DELAYS[counts[key] - 1])
        return settlement.Refused("validation", item.detail)

    plant(settlement, "_count_refusal", count_refusal)


def letters_awaited_at_the_end() -> None:
    async def run(self: ConsumerWorker) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._publisher.run())
            tasks.create_task(self._dead_letters.run())
            await self.coordinator.run()
            self._publisher.stop()
            self._dead_letters.stop()

    plant(ConsumerWorker, "run", run)
