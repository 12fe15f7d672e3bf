"""Faults in what a worker reports of itself."""

from consumer.core.failure import Failure
from consumer.core.shard.shard_state import ShardState
from consumer.core.shard.shard_view import shown_state
from consumer.runtime.consumer_worker import ConsumerWorker
from consumer.runtime.shard import shard_consumer
from tests.simulation.mutants.plant import plant


def ready_after_a_heartbeat() -> None:
    def unready(self: ConsumerWorker) -> str | None:
        return None if self.heartbeat.reached else "no heartbeat"

    plant(ConsumerWorker, "unready", unready)


def failing_shard_shown_as_reading() -> None:
    def shown(
        state: ShardState, suspended: str | None, _failure: Failure | None
    ) -> tuple[ShardState, str | None]:
        return shown_state(state, suspended, None)

    plant(shard_consumer, "shown_state", shown)
