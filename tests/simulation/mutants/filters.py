"""Faults in what filters take, and in what becomes of a record that none takes."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from consumer.core.backlog.ticket import Ticket
from consumer.core.backlog.watermark import AckWatermark
from consumer.core.routes.assembler import Assembler, Taker
from consumer.core.routes.filters import question
from consumer.core.routes.filters.view import Decision, decide
from consumer.core.stream.record import MalformedRecord, StreamRecord
from consumer.runtime.shard.shard_consumer import ShardConsumer
from tests.simulation.mutants.plant import plant

if TYPE_CHECKING:
    from consumer.core.backlog.tenure import Tenure


def no_d_for_what_left() -> None:
    def forgetful(event_name: str, *, new: bool, old: bool) -> Decision:
        decision = decide(event_name, new=new, old=old)
        return Decision.NOT_TAKEN if decision is Decision.LEFT else decision

    plant(question, "decide", forgetful)


def entering_told_as_a_change() -> None:
    def unmoved(event_name: str, *, new: bool, old: bool) -> Decision:
        decision = decide(event_name, new=new, old=old)
        return Decision.TAKEN if decision is Decision.ENTERED else decision

    plant(question, "decide", unmoved)


def filter_forgets_the_old_image_for_a_d() -> None:
    def of_new_images_only(event_name: str, *, new: bool, old: bool) -> Decision:
        return decide(event_name, new=new, old=old and event_name != "REMOVE")

    plant(question, "decide", of_new_images_only)


def filtered_record_never_settles() -> None:
    original, original_skip = Assembler.takers, AckWatermark.skip
    empty: set[int] = set()  # numbers of records that are taken by no route

    def takers(self: Assembler, record: StreamRecord | MalformedRecord) -> Sequence[Taker]:
        found = original(self, record)
        if not found and record.sequence is not None:
            empty.add(record.sequence)
        return found

    def skip(self: AckWatermark, sequence: int, created_at: float | None) -> None:
        if sequence in empty:
            self.open(Ticket(sequence, created_at or 0.0, self.tenure))
        else:
            original_skip(self, sequence, created_at)

    plant(Assembler, "takers", takers)
    plant(AckWatermark, "skip", skip)


def a_filtered_record_stops_a_drain() -> None:
    original_skip, original_open = AckWatermark.skip, AckWatermark.open
    original = ShardConsumer._nothing_to_wait_for
    at_filtered: set[Tenure] = set()  # the newest record of the shard yields no event

    def skip(self: AckWatermark, sequence: int, created_at: float | None) -> None:
        original_skip(self, sequence, created_at)
        at_filtered.add(self.tenure)

    def opened(self: AckWatermark, ticket: Ticket) -> None:
        original_open(self, ticket)
        at_filtered.discard(self.tenure)

    def nothing_to_wait_for(self: ShardConsumer) -> bool:
        return original(self) and self._watermark.tenure not in at_filtered

    plant(AckWatermark, "skip", skip)
    plant(AckWatermark, "open", opened)
    plant(ShardConsumer, "_nothing_to_wait_for", nothing_to_wait_for)
