"""The state of an event type: flow and lanes, with one log line for each change of state.

Ownership: sender and dead letter sender report here; the dispatcher reads `flow` and `lanes`. The
state may be used longer than the outlet that sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.publishing.answer import no_answer
from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, DEFINITION, Flow, FlowState
from consumer.core.publishing.lanes import Lanes
from consumer.core.publishing.partition_outcome import outcomes
from consumer.core.publishing.placement import Partitioning, Placement
from consumer.core.publishing.signs_of_life import SignsOfLife
from consumer.core.reports.readiness import refused
from consumer.core.reports.status import NOTHING_SENT, EventTypeStatus
from consumer.runtime.publishing.event_trouble import EventTrouble

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.preflight.check_result import CheckResult
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.partition_outcome import PartitionOutcome
    from consumer.core.routes.route import Route
    from consumer.ports import Chance, Clock

SMOOTHING = 0.2
"""Weight of the newest request in `round_trip`."""

FIRST_ROUND_TRIP = 0.05
"""The value of `round_trip`, in seconds, before the first answer."""

PROBED = "until then one event is tried every {probe:g} s; nothing is lost, but the age grows"
"""What a stop of the event type means for the service. The log line begins with what ends it."""


class EventType:
    """The state of one event type.

    `published` says whether an event was stored since the start, `sent` whether any request was
    sent. `round_trip` is the smoothed duration, in seconds, of requests that travelled in no lane.
    `unknown` counts events that were sent and may have been stored, as their request had no clear
    answer. `signs` tell whether an event fails alone. `when_stopped` says, in the log line for a
    stop, what is done until the operator has acted. `event_types` is how many share the memory.
    """

    def __init__(
        self,
        route: Route,
        clock: Clock,
        chance: Chance,
        partitioning: Partitioning | None = None,
        when_stopped: str = PROBED,
        event_types: int = 1,
    ) -> None:
        self.name = route.event_type
        self.route = route
        self.limits = limits = route.limits
        self.flow = Flow(limits)
        self._event_types = event_types
        self.lanes = Lanes(limits, Placement(partitioning or Partitioning(), event_types))
        self.signs = SignsOfLife(self.lanes.placement)
        self.trouble = EventTrouble(self.name, clock, when_stopped.format(probe=limits.probe))
        self.published = False
        self.sent = False
        self.round_trip = FIRST_ROUND_TRIP
        self.unknown = 0
        self._clock = clock
        self._chance = chance

    def refused(self, stored_before: Collection[str] = ()) -> bool:
        """Return whether this event type keeps its worker from being ready.

        `stored_before` are the event types in which any worker has had an event stored.
        """
        stored = self.published or self.name in stored_before
        return refused(self.flow.reason, stored=stored)

    @property
    def status(self) -> EventTypeStatus:
        """What `/status` shows: what is wrong, or that nothing is."""
        status = self.trouble.status(self.flow.state, self.flow.reason, self.lanes.down)
        if status.state == FlowState.PUBLISHING and not self.sent:
            return replace(status, state=NOTHING_SENT)
        return status

    def took(self, seconds: float) -> None:
        """Take note of the duration of a request that travelled in no lane."""
        self.round_trip += SMOOTHING * (seconds - self.round_trip)

    def answered(self, sent_at: float, *, stored: bool) -> None:
        """Take note of an answer about each event; `stored`: at least one event was stored."""
        before = self.flow.state
        self.flow.answered(sent_at, stored=stored)
        self.published = self.published or stored
        if stored:
            self.signs.stored_at = max(self.signs.stored_at, sent_at)
        if before is not FlowState.PUBLISHING and self.flow.state is FlowState.PUBLISHING:
            self.trouble.resumed(before)

    def observe(
        self, answer: Answer, part: Sequence[QueuedEvent[object]], sent_at: float
    ) -> list[str]:
        """Take note which partitions took their part by a 207. Return those whose lane ended."""
        self.trouble.answered(answer)
        found = outcomes(answer.items or (), part)
        if any(outcome.refused for outcome in found):
            self.lanes.placement.observe(
                [(event, outcome.partition) for outcome in found for event in outcome.events]
            )
        ended: list[str] = []
        for outcome in found:
            if outcome.stored:
                self.signs.stored_in(outcome.partition, sent_at)
            if outcome.failed:
                self.signs.failed(outcome.partition, self._clock.now())
            if outcome.refused:
                self.partition_failed(outcome, sent_at, answer)
            elif outcome.stored and self.partition_answered(outcome.partition, sent_at):
                ended.append(outcome.partition)
        return ended

    def stored(self, part: Sequence[QueuedEvent[object]], sent_at: float) -> None:
        """Take note that a request was stored that travelled in no lane."""
        self.signs.stored(part, sent_at, self.lanes)

    def missed(self, event: QueuedEvent[object]) -> None:
        """Take note that an event was sent alone, and that Nakadi has said nothing about it."""
        name = self.lanes.placement.of(event)
        if name is not None:
            self.signs.failed(name, self._clock.now())

    def fails_alone(self, event: QueuedEvent[object], answer: Answer) -> None:
        """Take note that an event fails while others are stored."""
        self.trouble.fails_alone(event, answer)
        self.missed(event)

    def partition_failed(self, outcome: PartitionOutcome, sent_at: float, answer: Answer) -> None:
        """Take note that a partition took nothing of its part of a request."""
        now, name = self._clock.now(), outcome.partition
        is_down = self.lanes.failed(outcome, sent_at, now, self._chance.random())
        self.trouble.partition_failed(outcome, answer, is_down=is_down)
        self.lanes.placement.learn([(event, name) for event in outcome.events])

    def partition_answered(self, name: str, sent_at: float) -> bool:
        """Take note that a partition took an event. Return whether this ended its lane."""
        ended = self.lanes.answered(name, sent_at, self._clock.now())
        if ended:
            self.trouble.partition_resumed(name, self.lanes.down)
        return ended

    def close_unused_lanes(self) -> list[str]:
        """Close the lanes in which nothing was sent for a while. Return their partitions."""
        closed = self.lanes.close_unused(self._clock.now())
        for lane in closed:
            if lane.failures:
                self.trouble.partition_unused(lane.name, self.lanes.down)
            else:
                self.trouble.partition_resumed(lane.name, self.lanes.down)
        return [lane.name for lane in closed]

    def outage(
        self, sent_at: float, answer: Answer, reason: str, retry_after: float | None
    ) -> None:
        """Take note that a request failed as a whole. `retry_after` is in seconds."""
        now, before = self._clock.now(), self.flow.state
        self.signs.outage_at = now
        self.flow.outage(now, sent_at, reason, retry_after, self._chance.random())
        if self.flow.state is FlowState.BACKING_OFF:
            self.trouble.outage(answer, reason, news=before is FlowState.PUBLISHING)
        else:
            self.trouble.last = f"{answer.reason} {answer.detail}"

    def stop(self, reason: str, answer: Answer | None = None) -> None:
        """Send only probes until the operator has acted. `answer` None: the dead letter limit."""
        now, before = self._clock.now(), self.flow.state
        self.signs.outage_at = now
        self.flow.stop(now, reason)
        self.trouble.stopped(reason, answer, news=before is not FlowState.STOPPED)

    def unfit(self, found: CheckResult) -> None:
        """Send nothing: the definition can never take these events, for the reason that was found.

        Call it before the first event was sent.
        """
        detail = "; ".join(filter(None, (found.result, found.remedy)))
        self.stop(DEFINITION, no_answer(DEFINITION, detail, None))

    def fits(self, partitioning: Partitioning) -> None:
        """Publish: the definition, which could not take these events, can now."""
        before = self.flow.state
        self.flow.resume()
        self.lanes = Lanes(self.limits, Placement(partitioning, self._event_types))
        self.signs = SignsOfLife(self.lanes.placement)
        self.trouble.resumed(before)

    def may_refuse(self, postponed: int) -> bool:
        """Return whether one more event may become a dead letter; stop if there are too many.

        `postponed` counts how often this event was postponed.
        """
        if self.flow.refuse(self._clock.now(), postponed):
            return True
        if self.flow.state is not FlowState.STOPPED:
            self.stop(DEAD_LETTER_LIMIT)
        elif self.flow.reason == DEAD_LETTER_LIMIT:
            self.trouble.stopped(DEAD_LETTER_LIMIT, None, news=False)
        return False
