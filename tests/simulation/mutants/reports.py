"""Faults in what a worker reports of itself."""

from collections.abc import Collection

from consumer.core.failure import Failure
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import shown_state
from consumer.runtime.consumer_worker import ConsumerWorker
from consumer.runtime.publishing.event_type import EventType
from consumer.runtime.publishing.publishing import Publishing
from consumer.runtime.shard import shard_consumer
from tests.simulation.mutants.plant import plant


def ready_after_a_heartbeat() -> None:
    def unready(self: ConsumerWorker) -> str | None:
        return None if self.heartbeat.reached else "no heartbeat"

    plant(ConsumerWorker, "unready", unready)


def readiness_withheld_by_an_old_outage() -> None:
    original = EventType.refused

    def refused(self: EventType, _stored_before: Collection[str] = ()) -> bool:
        return original(self)

    plant(EventType, "refused", refused)


def stored_noted_before_it_was() -> None:
    def stored(self: Publishing) -> frozenset[str]:
        return frozenset(each.name for each in self.event_types if each.sent)

    plant(Publishing, "stored", stored)


def failing_shard_shown_as_reading() -> None:
    def shown(
        state: ShardState, suspended: str | None, _failure: Failure | None
    ) -> tuple[ShardState, str | None]:
        return shown_state(state, suspended, None)

    plant(shard_consumer, "shown_state", shown)
