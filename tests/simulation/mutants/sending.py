"""Faults in how much is sent at a time."""

from typing import Any

from consumer.core.publishing.flow import Flow
from consumer.core.publishing.next_send import Send, Wait
from consumer.core.publishing.next_send import next_send as original
from consumer.runtime.publishing import dispatcher
from tests.simulation.mutants.plant import plant


def requests_overfilled() -> None:
    plant(Flow, "batch_events", property(lambda self: self._limits.batch_events + 1))


def more_requests_than_slots() -> None:
    def next_send(now: float, **known: Any) -> Send | Wait:
        return original(now, **{**known, "slots": 1})

    plant(dispatcher, "next_send", next_send)
