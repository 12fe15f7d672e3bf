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
from consumer.core.publishing.signs_of_life import NEVER, SignsOfLife

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.partition_outcome import PartitionOutcome
    from consumer.core.routes.route import Route
    from consumer.ports import Chance, Clock

log = structlog.get_logger()

REFUSED_AT_THE_DOOR = frozenset({"http_401", "http_403", "http_404", "foreign_403", "foreign_404"})
"""Reasons that keep a new worker from being ready, so that a bad rollout halts."""

_REMEDIES = {
    "http_403": "lets this token's owner write to the event type",
    "http_404": "creates the event type, or corrects CONSUMER_EVENT_TYPE or CONSUMER_NAKADI_URL",
    DEAD_LETTER_LIMIT: "finds out why so many events are refused (CONSUMER_DEAD_LETTER_LIMIT)",
}
_LOOK = "looks at what stands between this service and Nakadi"

_WAITS = "all events wait and are sent again; nothing is lost"

_FOREIGN = (
    f"{_WAITS}. This is no answer of Nakadi's: if it lasts, look at what stands between this "
    "service and Nakadi (firewall, proxy, CONSUMER_NAKADI_URL)"
)

INCOMPLETE_SECONDS = 60.0
"""Least time between two log lines about answers that are not complete."""

ALONE_SECONDS = 60.0
"""An event that fails alone is seen in the state for this long: twice its longest wait."""

SMOOTHING = 0.2
"""Weight of the newest request in `round_trip`."""

FIRST_ROUND_TRIP = 0.05
"""The value of `round_trip`, in seconds, before the first answer."""

PROBED = "one event is tried every {probe:g} s; nothing is lost, but the iterator age grows until"
"""What a stop of the event type means for the service. The log line adds what ends the stop."""


class EventType:
    """The state of one event type.

    `published` says whether an event was stored since the start. `round_trip` is the smoothed
    duration, in seconds, of requests that travelled in no lane. `unknown` counts events that were
    sent and may have been stored, as their request had no clear answer. `trouble` describes the
    last failure. `signs` tell whether an event fails alone. `when_stopped` begins the action of the
    log line for a stop; the text of what the operator has to do follows it.
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
        self.signs = SignsOfLife(self.lanes.placement)
        self.published = False
        self.round_trip = FIRST_ROUND_TRIP
        self.unknown = 0
        self.trouble = "no answer"
        self._alone_at = NEVER  # when an event last failed alone, and of what
        self._alone_of = ""
        self._incomplete_at = NEVER
        self._when_stopped = when_stopped.format(probe=limits.probe)
        self._clock = clock
        self._chance = chance

    @property
    def admitted(self) -> bool:
        """False while Nakadi refuses all access (401, 403, 404) and has stored no event yet."""
        return self.published or self.flow.reason not in REFUSED_AT_THE_DOOR

    @property
    def state(self) -> tuple[FlowState, str | None]:
        """State and reason for `/status`.

        They are those of the flow, of partitions that are down, or of an event that fails alone.
        """
        flow, down = self.flow, self.lanes.down
        if flow.state is FlowState.PUBLISHING and down:
            word = "partition" if len(down) == 1 else "partitions"
            return FlowState.BACKING_OFF, f"{word} {', '.join(down)}"
        if flow.state is FlowState.PUBLISHING and self._one_fails(self._clock.now()):
            return FlowState.BACKING_OFF, f"{self._alone_of}, for one event alone"
        return flow.state, None if flow.state is FlowState.PUBLISHING else flow.reason

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
            log.info("publishing_resumed", event_type=self.name, after=before.value)

    def observe(
        self, answer: Answer, part: Sequence[QueuedEvent[object]], sent_at: float
    ) -> list[str]:
        """Take note which partitions took their part by a 207. Return those whose lane ended."""
        self._note_missing(answer)
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

    def _note_missing(self, answer: Answer) -> None:
        """Log, once in a while, that an answer says nothing about some of its events."""
        items, now = answer.items or (), self._clock.now()
        missing = sum(item is None for item in items)
        if missing and now - self._incomplete_at >= INCOMPLETE_SECONDS:
            self._incomplete_at = now
            log.warning(
                "answer_incomplete",
                event_type=self.name,
                status=answer.status,
                events=len(items),
                count=missing,
                flow_id=answer.flow_id,
                action="the events of which the answer says nothing are sent again in smaller "
                "requests; look at what stands between this service and Nakadi",
            )

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
        now = self._clock.now()
        news = not self._one_fails(now)
        self._alone_at, self._alone_of = now, answer.reason
        self.trouble = f"{answer.reason} {answer.detail}"
        self.missed(event)
        if news:
            log.warning(
                "event_fails_alone",
                event_type=self.name,
                sequence=event.content.sequence,
                attempts=event.attempts,
                reason=answer.reason,
                status=answer.status,
                detail=answer.detail,
                flow_id=answer.flow_id,
                action="only its key waits, and the shard's checkpoint; it is sent again, alone, "
                "and becomes a dead letter after CONSUMER_MAX_ATTEMPTS tries between which others "
                "were stored. Look at what stands between this service and Nakadi",
            )

    def _one_fails(self, now: float) -> bool:
        return now - self._alone_at < ALONE_SECONDS

    def partition_failed(self, outcome: PartitionOutcome, sent_at: float, answer: Answer) -> None:
        """Take note that a partition took nothing of its part of a request."""
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
                action="its events are sent apart until it answers again; nothing is lost. If it "
                "only accepts smaller requests, CONSUMER_BATCH_BYTES is too large for it",
            )
        self.lanes.placement.learn([(event, name) for event in outcome.events])

    def partition_answered(self, name: str, sent_at: float) -> bool:
        """Take note that a partition took an event. Return whether this ended its lane."""
        ended = self.lanes.answered(name, sent_at, self._clock.now())
        if ended:
            log.info("partition_resumed", event_type=self.name, partition=name)
        return ended

    def close_unused_lanes(self) -> list[str]:
        """Close the lanes in which nothing was sent for a while. Return their partitions."""
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
        """Take note that a request failed as a whole. `retry_after` is in seconds."""
        news = self.flow.state is FlowState.PUBLISHING
        now = self._clock.now()
        self.trouble = f"{answer.reason} {answer.detail}"
        self.signs.outage_at = now
        self.flow.outage(now, sent_at, reason, retry_after, self._chance.random())
        if news:
            log.warning(
                "publishing_backs_off",
                event_type=self.name,
                reason=reason,
                status=answer.status,
                detail=answer.detail,
                flow_id=answer.flow_id,
                action=_WAITS if answer.by_nakadi else _FOREIGN,
            )

    def stop(self, reason: str, answer: Answer | None = None) -> None:
        """Send only probes until the operator has acted. `answer` None: the dead letter limit."""
        facts: dict[str, object] = {}
        if answer is not None:
            facts = {"status": answer.status, "detail": answer.detail, "flow_id": answer.flow_id}
            self.trouble = (
                f"{answer.reason.removeprefix('http_')} ({answer.detail}), flow id {answer.flow_id}"
            )
        now = self._clock.now()
        self.signs.outage_at = now
        if self.flow.stop(now, reason):
            log.error(
                "event_type_stopped",
                event_type=self.name,
                reason=reason,
                **facts,
                action=f"{self._when_stopped} somebody {_REMEDIES.get(reason, _LOOK)}",
            )

    def may_refuse(self, postponed: int) -> bool:
        """Return whether one more event may become a dead letter; stop if there are too many.

        `postponed` counts how often this event was postponed.
        """
        if self.flow.refuse(self._clock.now(), postponed):
            return True
        if self.flow.state is not FlowState.STOPPED:
            self.stop(DEAD_LETTER_LIMIT)
        return False
