"""Faults in reading, settling and publishing."""

import asyncio
from collections import Counter
from typing import Any

from msgspec.structs import asdict, replace

from consumer.core.backlog import queued_event
from consumer.core.backlog.budget import ByteBudget
from consumer.core.backlog.queue import KeyOrderedQueue
from consumer.core.backlog.queued_event import EventState, Tries
from consumer.core.backlog.ticket import Ticket
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.leases.lease import Lease
from consumer.core.leases.progress import Progress
from consumer.core.publishing import reaction
from consumer.core.publishing.answer import Answer, PublishingStatus
from consumer.core.publishing.reaction import (
    Acked,
    Reaction,
    Refused,
    Verdict,
    Verdicts,
)
from consumer.core.shard.cursor import Cursor
from consumer.core.stream.page import Page
from consumer.core.stream.stream import AtLatest, Position
from consumer.errors import INVALID_ITERATOR, ExpiredIterator, Retryable
from consumer.runtime.consumer_worker import ConsumerWorker
from consumer.runtime.publishing import sender
from consumer.runtime.shard.checkpointer import Checkpointer
from consumer.runtime.shard.intake import Intake
from consumer.runtime.shard.page_reservations import PageReservations
from consumer.runtime.shard.shard_pages import ShardPages
from tests.simulation.mutants.plant import plant
from tests.simulation.twins.stream_twin import SimStreams


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

    async def take_in(self: Intake, page: Page, cursor: Cursor) -> int:
        if page.next_iterator:
            return await original(self, page, cursor)
        await original(self, replace(page, records=()), cursor)
        return len(page.records)

    plant(Intake, "take_in", take_in)


def aborted_treated_as_done() -> None:
    original = reaction.react

    def react(answer: Answer, *rest: Any) -> Reaction:
        done = tuple(
            replace(item, status=PublishingStatus.SUBMITTED)
            if item and item.status is PublishingStatus.ABORTED and answer.status == 207
            else item
            for item in answer.items or ()
        )
        return original(replace(answer, items=done or answer.items), *rest)

    plant(sender, "react", react)


def second_of_a_key_passes_its_head() -> None:
    original = KeyOrderedQueue.give_back

    def give_back(
        self: KeyOrderedQueue[Any], event: Any, not_before: float = 0.0, *, front: bool = False
    ) -> None:
        original(self, event, not_before, front=front)
        key = self._keys.get(event.key)
        second: Any = event.next_of_key
        if event.state is not EventState.QUEUED or key is None or second is None:
            return
        leads = key.first is event
        if leads and not key.in_flight:
            event.next_of_key, second.next_of_key = second.next_of_key, event
            key.first, key.last = second, event if key.last is second else key.last

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
    plant(PageReservations, "give_back", lambda _self, _size: None)


def events_cost_nothing() -> None:
    plant(queued_event, "cost_of", lambda _content: 0)


def every_reservation_granted() -> None:
    plant(ByteBudget, "_fits", lambda _self, _member, _size: True)


def every_event_admitted() -> None:
    original = PageReservations.admit

    def admit(self: PageReservations, cost: int, *, must: bool = False) -> bool:
        return original(self, cost, must=True)

    plant(PageReservations, "admit", admit)


def rest_of_a_page_forgotten() -> None:
    original = Intake.take_in

    async def take_in(self: Intake, page: Page, cursor: Cursor) -> int:
        await original(self, page, cursor)
        return len(page.records)

    plant(Intake, "take_in", take_in)


def iterator_of_a_dropped_page_forgotten() -> None:
    def resume(self: ShardPages) -> None:
        self.cursor.iterator = None

    plant(ShardPages, "resume", resume)


def stored_iterator_used_once() -> None:
    original = Cursor.of

    def of(lease: Lease, started_at: float | None) -> Cursor:
        cursor = original(lease, started_at)
        if lease.counter > 1:
            cursor.iterator = None
        return cursor

    plant(Cursor, "of", of)


def refused_iterator_used_again() -> None:
    original = SimStreams.get_records

    async def get_records(self: SimStreams, iterator: str) -> Page:
        try:
            return await original(self, iterator)
        except ExpiredIterator as error:
            if error.reason == INVALID_ITERATOR:
                raise Retryable(str(error), "validation") from error
            raise

    plant(SimStreams, "get_records", get_records)


def innocents_given_up_with_the_guilty() -> None:
    original = reaction.react

    def react(answer: Answer, *rest: Any) -> Reaction:
        settled = original(answer, *rest)
        if answer.status == 422 and isinstance(settled, Verdicts):
            bad = [verdict for verdict in settled.verdicts if isinstance(verdict, Refused)]
            if bad:
                return Verdicts(tuple(bad[0] for _ in settled.verdicts))
        return settled

    plant(sender, "react", react)


def refused_event_follows_in_a_run() -> None:
    original = reaction.react
    counts: Counter[tuple[int, int]] = Counter()

    def react(answer: Answer, events: Any, *rest: Any) -> Reaction:
        for event in events:  # not counted on the event, which then looks as if never refused
            event.tries = Tries(counts[_name(event)], event.tries.failed)
        settled = original(answer, events, *rest)
        if not isinstance(settled, Verdicts):
            return settled
        verdicts: list[Verdict] = []
        for event, verdict in zip(events, settled.verdicts, strict=True):
            if isinstance(verdict, Acked):
                verdicts.append(verdict)
                continue
            counts[_name(event)] = verdict.tries.refused
            verdicts.append(replace(verdict, tries=Tries(0, verdict.tries.failed)))
        return Verdicts(tuple(verdicts))

    plant(sender, "react", react)


def _name(event: Any) -> tuple[int, int]:
    return id(event.of.tenure), event.of.sequence


def letters_awaited_at_the_end() -> None:
    async def run(self: ConsumerWorker) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.publishing.run())
            await self.coordinator.run()
            self.publishing.stop()

    plant(ConsumerWorker, "run", run)
