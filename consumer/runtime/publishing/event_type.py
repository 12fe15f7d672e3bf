"""The state of an event type: flow and lanes, with one log line for each change of state.

Ownership: sender and dead letter sender report here; the dispatcher reads `flow` and `lanes`. The
state may be used longer than the outlet that sends.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, Flow, FlowState
from consumer.core.publishing.lanes import Lanes
from consumer.core.publishing.partition_outcome import outcomes
from consumer.core.publishing.placement import Partitioning, Placement
from consumer.core.reports.status import NOTHING_SENT, EventTypeStatus
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.partition_outcome import PartitionOutcome
    from consumer.core.routes.route import Route
    from consumer.ports import Chance, Clock

log = structlog.get_logger()

REFUSED_AT_THE_DOOR = frozenset({"http_401", "http_403", "http_404"})
"""Reasons that keep a new worker from being ready, so that a bad rollout halts."""

_REMEDIES = {
    "http_403": "let this token's owner write to the event type",
    "http_404": "create the event type, or correct CONSUMER_EVENT_TYPE or CONSUMER_NAKADI_URL",
    DEAD_LETTER_LIMIT: "find out why so many events are refused (CONSUMER_DEAD_LETTER_LIMIT)",
}
_LOOK = "look at what stands between this service and Nakadi"

_WAIT = (
    "nothing; all events wait and are sent again. If this lasts, give the flow id to Nakadi's "
    "operators"
)
_WHILE_OUT = {
    "http_401": "have the token renewed; a token file is read again by itself. All events wait"
}
_LANE = (
    "nothing; its events are sent apart until it answers again. If it only accepts smaller "
    "requests, lower CONSUMER_BATCH_BYTES"
)


SMOOTHING = 0.2
"""Weight of the newest request in `round_trip`."""

FIRST_ROUND_TRIP = 0.05
"""The value of `round_trip`, in seconds, before the first answer."""

PROBED = "until then one event is tried every {probe:g} s; nothing is lost, but the age grows"
"""What a stop of the event type means for the service. The log line begins with what ends it."""


class EventType:
    """The state of one event type.

    `published` says whether an event was stored since the start. `round_trip` is the smoothed
    duration, in seconds, of requests that travelled in no lane. `unknown` counts events that were
    sent and may have been stored, as their request had no clear answer. `sent` says whether any
    request was sent. `trouble` describes the last failure. `when_stopped` ends the action of the
    log line for a stop; the text of what the operator has to do comes before it.
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
        self.sent = False
        self._since: float | None = None  # wall time of the newest change of the flow's state
        self._lane_since: float | None = None  # wall time since when partitions are down
        self._told: tuple[str | None, str | None] = (None, None)  # detail and flow id
        self._when_stopped = when_stopped.format(probe=limits.probe)
        self._clock = clock
        self._chance = chance
        self._conditions = Conditions(clock.now)

    @property
    def admitted(self) -> bool:
        """False while Nakadi refuses all access (401, 403, 404) and has stored no event yet."""
        return self.published or self.flow.reason not in REFUSED_AT_THE_DOOR

    @property
    def status(self) -> EventTypeStatus:
        """What `/status` shows: the state of the flow, or of partitions that are down."""
        flow, down = self.flow, self.lanes.down
        if flow.state is not FlowState.PUBLISHING:
            reason = flow.reason or ""
            stopped = flow.state is FlowState.STOPPED
            action = self._after_stop(reason) if stopped else _WHILE_OUT.get(reason, _WAIT)
            return EventTypeStatus(
                self.name, flow.state, flow.reason, self._since, *self._told, action
            )
        if down:
            word = "partition" if len(down) == 1 else "partitions"
            reason = f"{word} {', '.join(down)}"
            return EventTypeStatus(
                self.name, FlowState.BACKING_OFF, reason, self._lane_since, action=_LANE
            )
        return EventTypeStatus(self.name, FlowState.PUBLISHING if self.sent else NOTHING_SENT)

    def took(self, seconds: float) -> None:
        """Take note of the duration of a request that travelled in no lane."""
        self.round_trip += SMOOTHING * (seconds - self.round_trip)

    def answered(self, sent_at: float, *, stored: bool) -> None:
        """Take note of an answer about each event; `stored`: at least one event was stored."""
        before = self.flow.state
        self.flow.answered(sent_at, stored=stored)
        self.published = self.published or stored
        if before is not FlowState.PUBLISHING and self.flow.state is FlowState.PUBLISHING:
            log.info(
                "publishing_resumed",
                event_type=self.name,
                after=before.value,
                lasts_seconds=self._lasted(),
            )

    def observe(
        self, answer: Answer, part: Sequence[QueuedEvent[object]], sent_at: float
    ) -> list[str]:
        """Take note which partitions took their part by a 207. Return those whose lane ended."""
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
        """Take note that a partition took nothing of its part of a request."""
        now, name = self._clock.now(), outcome.partition
        self.trouble = answer.reason
        self._lane_since = self._lane_since if self.lanes.down else self._clock.wall()
        if self.lanes.failed(outcome, sent_at, now, self._chance.random()):
            self._conditions.warning(
                "partition_backs_off",
                event_type=self.name,
                partition=name,
                events=len(outcome.events),
                bytes=outcome.size,
                reason=answer.reason,
                flow_id=answer.flow_id,
                action=_LANE,
            )
        self.lanes.placement.learn([(event, name) for event in outcome.events])

    def partition_answered(self, name: str, sent_at: float) -> bool:
        """Take note that a partition took an event. Return whether this ended its lane."""
        ended = self.lanes.answered(name, sent_at, self._clock.now())
        if ended:
            self._partition_resumed(name)
        return ended

    def close_unused_lanes(self) -> list[str]:
        """Close the lanes in which nothing was sent for a while. Return their partitions."""
        closed = self.lanes.close_unused(self._clock.now())
        for lane in closed:
            if lane.failures:
                self._conditions.lasted(
                    "partition_backs_off", event_type=self.name, partition=lane.name
                )
                log.info("partition_unused", event_type=self.name, partition=lane.name)
            else:
                self._partition_resumed(lane.name)
        return [lane.name for lane in closed]

    def outage(
        self, sent_at: float, answer: Answer, reason: str, retry_after: float | None
    ) -> None:
        """Take note that a request failed as a whole. `retry_after` is in seconds."""
        now = self._clock.now()
        self._told = (answer.detail or None, answer.flow_id)
        if self.flow.state is FlowState.PUBLISHING:
            self._since = self._clock.wall()
        self.trouble = f"{answer.reason} {answer.detail}"
        self.flow.outage(now, sent_at, reason, retry_after, self._chance.random())
        if self.flow.state is FlowState.BACKING_OFF:
            self._conditions.warning(
                "publishing_backs_off",
                event_type=self.name,
                reason=reason,
                status=answer.status,
                detail=answer.detail,
                flow_id=answer.flow_id,
                action=_WHILE_OUT.get(reason, _WAIT),
            )

    def stop(self, reason: str, answer: Answer | None = None) -> None:
        """Send only probes until the operator has acted. `answer` None: the dead letter limit."""
        facts: dict[str, object] = {}
        if self.flow.state is not FlowState.STOPPED:
            self._since = self._clock.wall()
        self._told = (None, None)
        if answer is not None:
            self._told = (answer.detail or None, answer.flow_id)
            facts = {"status": answer.status, "detail": answer.detail, "flow_id": answer.flow_id}
            self.trouble = (
                f"{answer.reason.removeprefix('http_')} ({answer.detail}), flow id {answer.flow_id}"
            )
        self.flow.stop(self._clock.now(), reason)
        self._say_stopped(reason, facts)

    def _say_stopped(self, reason: str, facts: Mapping[str, object]) -> None:
        self._conditions.error(
            "event_type_stopped",
            event_type=self.name,
            reason=reason,
            aspect=reason,
            **facts,
            action=self._after_stop(reason),
        )

    def _after_stop(self, reason: str) -> str:
        """Return what the operator has to do after a stop, and what is done until then."""
        return f"{_REMEDIES.get(reason, _LOOK)}; {self._when_stopped}"

    def _lasted(self) -> float | None:
        """End what is said of the whole event type; return how long it lasted, in seconds."""
        ends = ("publishing_backs_off", "event_type_stopped")
        lasted = [self._conditions.lasted(event, event_type=self.name) for event in ends]
        return max((seconds for seconds in lasted if seconds is not None), default=None)

    def _partition_resumed(self, name: str) -> None:
        lasted = self._conditions.lasted(
            "partition_backs_off", event_type=self.name, partition=name
        )
        log.info("partition_resumed", event_type=self.name, partition=name, lasts_seconds=lasted)

    def may_refuse(self, postponed: int) -> bool:
        """Return whether one more event may become a dead letter; stop if there are too many.

        `postponed` counts how often this event was postponed.
        """
        if self.flow.refuse(self._clock.now(), postponed):
            return True
        if self.flow.state is not FlowState.STOPPED:
            self.stop(DEAD_LETTER_LIMIT)
        elif self.flow.reason == DEAD_LETTER_LIMIT:
            self._say_stopped(DEAD_LETTER_LIMIT, {})
        return False
