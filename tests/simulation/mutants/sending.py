"""Faults in how much is sent at a time."""

from consumer.core.publishing.flow import Flow
from tests.simulation.mutants.plant import plant


def requests_overfilled() -> None:
    plant(Flow, "batch_events", property(lambda self: self._limits.batch_events + 1))


def more_requests_than_slots() -> None:
    plant(Flow, "wait", lambda self, now, _in_flight: max(0.0, self.not_before - now))
