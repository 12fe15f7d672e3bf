"""Faults in what runs ahead: in marks, in drains and records of several event types."""

from msgspec.structs import replace

from consumer.core.backlog.queued_event import EventState, QueuedEvent
from consumer.core.backlog.ticket import Ticket, TicketState
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.leases import command
from consumer.core.leases.command import Command
from consumer.core.leases.lease import Lease
from consumer.core.leases.mark import Ahead
from consumer.runtime.shard.shard_consumer import ShardConsumer
from tests.simulation.mutants.plant import plant


def ahead_beyond_what_is_settled() -> None:
    def ahead(self: AckWatermark) -> Ahead | None:
        names = [name for name, chain in self.chains.items() if chain.first is not None]
        if len(self.event_types) == 1 or not names or not self.opened:
            return None
        return Ahead(self.opened, (names[0],))

    plant(AckWatermark, "ahead", property(ahead))


def nothing_ahead_is_remembered() -> None:
    plant(AckWatermark, "ahead", property(lambda _: None))


def a_drain_drops_one_of_two_events() -> None:
    original = ShardConsumer._nothing_to_wait_for

    def nothing_to_wait_for(self: ShardConsumer) -> bool:
        done = original(self)
        last = self._watermark.tail
        if last is not None and last.published:
            for event in last.events:
                if event.state is EventState.QUEUED:
                    event.state = EventState.REVOKED
                    freed = self._backlog.outlets[event.event_type].remove([event])
                    self._backlog.budget.adjust(last.tenure.member, -freed)
                    self._watermark.settle_event(event)
        return done

    plant(ShardConsumer, "_nothing_to_wait_for", nothing_to_wait_for)


def a_record_is_settled_by_one_of_two_events() -> None:
    original = AckWatermark.settle_event

    def settle_event(self: AckWatermark, event: QueuedEvent[Ticket]) -> None:
        ticket = event.of
        original(self, event)
        if ticket.state is TicketState.OPEN:
            self.settle(ticket)

    plant(AckWatermark, "settle_event", settle_event)


def the_mark_survives_a_seek() -> None:
    original = command.after_seek

    def after_seek(lease: Lease, given: Command) -> Lease:
        return replace(original(lease, given), mark=lease.mark)

    plant(command, "after_seek", after_seek)
