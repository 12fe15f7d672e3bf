"""The event type as the operator sees it: flow and lanes, one log line for each change of state.

Ownership: sender and dead letter sender report here; the dispatcher decides by `flow` and `lanes`.
What is known here outlives the outlet that sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, Flow, FlowState
from consumer.core.publishing.lanes import Lanes
from consumer.core.publishing.partition_outcome import outcomes
from consumer.core.publishing.placement import Partitioning, Placement

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.partition_outcome import PartitionOutcome
    from consumer.core.routes.route import Route
    from consumer.ports import Chance, Clock

log = structlog.get_logger()

REFUSED_AT_THE_DOOR = frozenset({"http_401", "http_403", "http_404"})
"""Reasons that keep a fresh worker from being ready: a bad rollout must halt."""

_REMEDIES = {
    "http_403": "lets this token's owner write to the event type",
    "http_404": "creates the event type, or corrects CONSUMER_EVENT_TYPE or CONSUMER_NAKADI_URL",
    DEAD_LETTER_LIMIT: "finds out why so many events are refused (CONSUMER_DEAD_LETTER_LIMIT)",
}
_LOOK = "looks at what stands between this service and Nakadi"


SMOOTHING = 0.2
"""Weight of the newest request in `round_trip`."""

FIRST_ROUND_TRIP = 0.05
"""Seconds that a request is taken to last before the first was answered."""

PROBED = "one event is tried every {probe:g} s; nothing is lost, but the iterator age grows until"
"""What a stop means for the service; followed by who ends it."""


class EventType:
    """State of one event type.

    `published` says whether anything was stored since the start. `round_trip` is the recent length,
    in seconds, of requests that travelled in no lane. `unknown` counts events of requests without
    an answer. `trouble` says what the last failure was about. `when_stopped` begins the
    action of the log line for a stop; somebody who mends it is named behind it.
    """

    def __init__(
        self,
        route: Route,
        clock: Clock,
        chance: Chance,
        partitioning: Partitioning | None = None,
        when_stopped: str = PROBED,
    ) -> None:
        self.name = route.event_type
        self.route = route
        self.limits = limits = route.limits
        self.flow = Flow(limits)
        self.lanes = Lanes(limits, Placement(partitioning or Partitioning()))
        self.published = False
        self.round_trip = FIRST_ROUND_TRIP
        self.unknown = 0
        self.trouble = "no answer"
        self._when_stopped = when_stopped.format(probe=limits.probe)
        self._clock = clock
        self._chance = chance

    @property
    def admitted(self) -> bool:
        """False while Nakadi has refused us at the door ever since the start."""
        return self.published or self.flow.reason not in REFUSED_AT_THE_DOOR

    @property
    def state(self) -> tuple[FlowState, str | None]:
        """For `/status`: the flow's state, or that of partitions that are down, and the reason."""
        flow, down = self.flow, self.lanes.down
        if flow.state is FlowState.PUBLISHING and down:
            word = "partition" if len(down) == 1 else "partitions"
            return FlowState.BACKING_OFF, f"{word} {', '.join(down)}"
        return flow.state, None if flow.state is FlowState.PUBLISHING else flow.reason

    def took(self, seconds: float) -> None:
        """A request that travelled in no lane lasted so long."""
        self.round_trip += SMOOTHING * (seconds - self.round_trip)

    def answered(self, sent_at: float, *, stored: bool) -> None:
        """A request was answered event by event; `stored`: at least one event of it."""
        before = self.flow.state
        self.flow.answered(sent_at, stored=stored)
        self.published = self.published or stored
        if before is not FlowState.PUBLISHING and self.flow.state is FlowState.PUBLISHING:
            log.info("publishing_resumed", event_type=self.name, after=before.value)

    def observe(
        self, answer: Answer, part: Sequence[QueuedEvent[object]], sent_at: float
    ) -> list[str]:
        """A 207 says of each partition whether it took its part; return whose lane has ended."""
        found = outcomes(answer.items or (), part)
        if any(outcome.refused for outcome in found):
            self.lanes.placement.observe(
                [(event, outcome.partition) for outcome in found for event in outcome.events]
            )
        ended: list[str] = []
        for outcome in found:
            if outcome.refused:
                self.partition_failed(outcome, sent_at, answer)
            elif outcome.stored and self.partition_answered(outcome.partition, sent_at):
                ended.append(outcome.partition)
        return ended

    def partition_failed(self, outcome: PartitionOutcome, sent_at: float, answer: Answer) -> None:
        """A partition took nothing of its part of a request."""
        now, name = self._clock.now(), outcome.partition
        self.trouble = answer.reason
        if self.lanes.failed(outcome, sent_at, now, self._chance.random()):
            log.warning(
                "partition_backs_off",
                event_type=self.name,
                partition=name,
                events=len(outcome.events),
                bytes=outcome.size,
                reason=answer.reason,
                flow_id=answer.flow_id,
                action="its events travel apart until it answers again; nothing is lost. If it "
                "answers to less only, CONSUMER_BATCH_BYTES is more than the store takes at once",
            )
        self.lanes.placement.learn([(event, name) for event in outcome.events])

    def partition_answered(self, name: str, sent_at: float) -> bool:
        """A partition took something. True if that ended its lane."""
        ended = self.lanes.answered(name, sent_at, self._clock.now())
        if ended:
            log.info("partition_resumed", event_type=self.name, partition=name)
        return ended

    def close_unused_lanes(self) -> list[str]:
        """Partitions for which nothing was sent in a while need no lane."""
        closed = self.lanes.close_unused(self._clock.now())
        for lane in closed:
            if lane.failures:
                log.info("partition_unused", event_type=self.name, partition=lane.name)
            else:
                log.info("partition_resumed", event_type=self.name, partition=lane.name)
        return [lane.name for lane in closed]

    def outage(
        self, sent_at: float, answer: Answer, reason: str, retry_after: float | None
    ) -> None:
        """A request failed as a whole."""
        news = self.flow.state is FlowState.PUBLISHING
        now = self._clock.now()
        self.trouble = f"{answer.reason} {answer.detail}"
        self.flow.outage(now, sent_at, reason, retry_after, self._chance.random())
        if news:
            log.warning(
                "publishing_backs_off",
                event_type=self.name,
                reason=reason,
                status=answer.status,
                detail=answer.detail,
                flow_id=answer.flow_id,
                action="everything waits and is sent again; nothing is lost",
            )

    def stop(self, reason: str, answer: Answer | None = None) -> None:
        """Send nothing but a probe until the operator has acted. `answer` None: our own limit."""
        facts: dict[str, object] = {}
        if answer is not None:
            facts = {"status": answer.status, "detail": answer.detail, "flow_id": answer.flow_id}
            self.trouble = (
                f"{answer.reason.removeprefix('http_')} ({answer.detail}), flow id {answer.flow_id}"
            )
        if self.flow.stop(self._clock.now(), reason):
            log.error(
                "event_type_stopped",
                event_type=self.name,
                reason=reason,
                **facts,
                action=f"{self._when_stopped} somebody {_REMEDIES.get(reason, _LOOK)}",
            )

    def may_refuse(self, postponed: int) -> bool:
        """May one more event become a dead letter? Stops the event type if there are too many.

        `postponed` counts how often this one was put off.
        """
        if self.flow.refuse(self._clock.now(), postponed):
            return True
        if self.flow.state is not FlowState.STOPPED:
            self.stop(DEAD_LETTER_LIMIT)
        return False
