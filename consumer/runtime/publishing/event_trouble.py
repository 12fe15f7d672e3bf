"""What is wrong with an event type, for people: log lines, and what `/status` shows.

Ownership: the event type owns it and tells it of each failure and of its end. No decision about an
event depends on it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import structlog

from consumer.core.publishing.flow import DEAD_LETTER_LIMIT, DEFINITION, FlowState
from consumer.core.publishing.signs_of_life import NEVER
from consumer.core.reports.status import EventTypeStatus
from consumer.observability.conditions import Conditions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer
    from consumer.core.publishing.partition_outcome import PartitionOutcome
    from consumer.ports import Clock

log = structlog.get_logger()

_REMEDIES: Final = {
    "http_403": "let this token's owner write to the event type",
    "http_404": "create the event type, or correct its name in the settings or CONSUMER_NAKADI_URL",
    DEFINITION: "repair the event type's definition as `detail` says, or the settings",
    DEAD_LETTER_LIMIT: "find out why so many events are refused (CONSUMER_DEAD_LETTER_LIMIT)",
}
_UNSENT: Final = (
    "until then nothing is sent, and the definition is looked at again at each "
    "CONSUMER_PROBE_SECONDS; nothing is lost, but the age grows"
)
_LOOK: Final = "look at what stands between this service and Nakadi"

_WAIT: Final = (
    "nothing; all events wait and are sent again. If this lasts, give the flow id to Nakadi's "
    "operators"
)
_FOREIGN: Final = (
    "nothing; all events wait and are sent again. This is no answer of Nakadi's: if it lasts, look "
    "at what stands between this service and Nakadi (firewall, proxy, CONSUMER_NAKADI_URL)"
)
_UNAUTHORISED: Final = (
    "have the token renewed; a token file is read again by itself. All events wait"
)
_LANE: Final = (
    "nothing; its events are sent apart until it answers again. If it only accepts smaller "
    "requests, lower CONSUMER_BATCH_BYTES"
)
_ALONE: Final = (
    "look at what stands between this service and Nakadi: it objects to this event. Its key waits, "
    "and the shard's checkpoint; it is sent again, alone, and becomes a dead letter after "
    "CONSUMER_MAX_ATTEMPTS tries between which others were stored"
)
_INCOMPLETE: Final = (
    "look at what stands between this service and Nakadi; the events of which the answer says "
    "nothing are sent again in smaller requests"
)

ALONE_SECONDS: Final = 60.0
"""An event that fails alone is seen in the state for this long: twice its longest wait."""


class EventTrouble:
    """The trouble of the event type `name`.

    `last` describes the last failure. `when_stopped` ends the action of the log line for a stop;
    the text of what the operator has to do comes before it.
    """

    def __init__(self, name: str, clock: Clock, when_stopped: str) -> None:
        self.last = "no answer"
        self._name = name
        self._clock = clock
        self._when_stopped = when_stopped
        self._conditions = Conditions(clock.now)
        self._since: float | None = None  # wall time of the newest change of the flow's state
        self._lane_since: float | None = None  # wall time since when partitions are down
        self._action: str | None = None  # of the flow's state
        self._told: tuple[str | None, str | None] = (None, None)  # detail and flow id
        self._alone_at = NEVER  # when an event last failed alone, and of what
        self._alone_of = ""

    # -- the event type as a whole

    def outage(self, answer: Answer, reason: str, *, news: bool) -> None:
        """Tell that all events wait; `news` if they were published before."""
        if news:
            self._since = self._clock.wall()
        self._told = (answer.detail or None, answer.flow_id)
        self._action = action = _while_out(answer, reason)
        self.last = f"{answer.reason} {answer.detail}"
        self._conditions.warning(
            "publishing_backs_off",
            event_type=self._name,
            reason=reason,
            status=answer.status,
            detail=answer.detail,
            flow_id=answer.flow_id,
            action=action,
        )

    def stopped(self, reason: str, answer: Answer | None, *, news: bool) -> None:
        """Tell that publishing waits for an operator; `answer` None: the dead letter limit."""
        if news:
            self._since = self._clock.wall()
        self._told, facts = (None, None), {}
        if answer is not None:
            self._told = (answer.detail or None, answer.flow_id)
            facts = {"status": answer.status, "detail": answer.detail, "flow_id": answer.flow_id}
            word = answer.reason.removeprefix("http_")
            self.last = f"{word} ({answer.detail}), flow id {answer.flow_id}"
        meanwhile = _UNSENT if reason == DEFINITION else self._when_stopped
        self._action = action = f"{_REMEDIES.get(reason, _LOOK)}; {meanwhile}"
        self._conditions.error(
            "event_type_stopped",
            event_type=self._name,
            reason=reason,
            aspect=reason,
            **facts,
            action=action,
        )

    def resumed(self, after: FlowState) -> None:
        """Tell that events are accepted again."""
        ends = ("publishing_backs_off", "event_type_stopped")
        lasted = [self._conditions.lasted(event, event_type=self._name) for event in ends]
        longest = max((seconds for seconds in lasted if seconds is not None), default=None)
        log.info(
            "publishing_resumed", event_type=self._name, after=after.value, lasts_seconds=longest
        )

    # -- a partition

    def partition_failed(self, outcome: PartitionOutcome, answer: Answer, *, is_down: bool) -> None:
        """Tell that a partition took nothing of its part; `is_down` if it has a lane now."""
        self.last = answer.reason
        if not is_down:
            return
        if self._lane_since is None:
            self._lane_since = self._clock.wall()
        self._conditions.warning(
            "partition_backs_off",
            event_type=self._name,
            partition=outcome.partition,
            events=len(outcome.events),
            bytes=outcome.size,
            reason=answer.reason,
            flow_id=answer.flow_id,
            action=_LANE,
        )

    def partition_resumed(self, partition: str, down: Sequence[str]) -> None:
        """Tell that a partition accepts events again; `down` are those that do not yet."""
        lasted = self._lane_ended(partition, down)
        log.info(
            "partition_resumed", event_type=self._name, partition=partition, lasts_seconds=lasted
        )

    def partition_unused(self, partition: str, down: Sequence[str]) -> None:
        """Tell that nothing was sent to a partition that was down."""
        self._lane_ended(partition, down)
        log.info("partition_unused", event_type=self._name, partition=partition)

    def _lane_ended(self, partition: str, down: Sequence[str]) -> float | None:
        self._lane_since = self._lane_since if down else None
        return self._conditions.lasted(
            "partition_backs_off", event_type=self._name, partition=partition
        )

    # -- an event, an answer

    def fails_alone(self, event: QueuedEvent[object], answer: Answer) -> None:
        """Tell that an event fails while others are stored."""
        self._alone_at, self._alone_of = self._clock.now(), answer.reason
        self.last = f"{answer.reason} {answer.detail}"
        self._conditions.warning(
            "event_fails_alone",
            event_type=self._name,
            sequence=event.content.sequence,
            attempts=event.attempts,
            reason=answer.reason,
            status=answer.status,
            detail=answer.detail,
            flow_id=answer.flow_id,
            action=_ALONE,
        )

    def answered(self, answer: Answer) -> None:
        """Tell if an answer says nothing about some of its events."""
        items = answer.items or ()
        missing = sum(item is None for item in items)
        if not missing:
            self._conditions.over("answer_incomplete", event_type=self._name)
            return
        self._conditions.warning(
            "answer_incomplete",
            event_type=self._name,
            status=answer.status,
            events=len(items),
            missing=missing,
            flow_id=answer.flow_id,
            action=_INCOMPLETE,
        )

    # -- `/status`

    def status(self, state: FlowState, reason: str | None, down: Sequence[str]) -> EventTypeStatus:
        """Return what `/status` shows.

        `state` and `reason` are those of the flow, `down` the partitions that do not answer.
        """
        if state is not FlowState.PUBLISHING:
            return EventTypeStatus(
                self._name, state, reason, self._since, *self._told, self._action
            )
        if down:
            word = "partition" if len(down) == 1 else "partitions"
            reason = f"{word} {', '.join(down)}"
            return EventTypeStatus(
                self._name, FlowState.BACKING_OFF, reason, self._lane_since, action=_LANE
            )
        if self._clock.now() - self._alone_at < ALONE_SECONDS:
            reason = f"{self._alone_of}, for one event alone"
            return EventTypeStatus(self._name, FlowState.BACKING_OFF, reason, action=_ALONE)
        return EventTypeStatus(self._name, FlowState.PUBLISHING)


def _while_out(answer: Answer, reason: str) -> str:
    if reason == "http_401":
        return _UNAUTHORISED
    return _WAIT if answer.by_nakadi else _FOREIGN
