"""The event type as the operator sees it: its flow, and one log line for each change of state.

Ownership: publisher and dead letter sender report here; both decide by `flow` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import structlog

from consumer.core.flow import DEAD_LETTER_LIMIT, Flow, FlowState

if TYPE_CHECKING:
    from consumer.core.limits import PublishLimits
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


class EventType:
    """State of one event type. `published` says whether anything was stored since the start."""

    def __init__(self, name: str, limits: PublishLimits, clock: Clock, chance: Chance) -> None:
        self.name = name
        self.flow = Flow(limits)
        self.published = False
        self._probe = limits.probe
        self._clock = clock
        self._chance = chance

    @property
    def admitted(self) -> bool:
        """False while Nakadi has refused us at the door ever since the start."""
        return self.published or self.flow.reason not in REFUSED_AT_THE_DOOR

    def answered(self, sent_at: float, *, stored: bool) -> None:
        """A request was answered event by event; `stored`: at least one event of it."""
        before = self.flow.state
        self.flow.answered(sent_at, stored=stored)
        self.published = self.published or stored
        if before is not FlowState.PUBLISHING and self.flow.state is FlowState.PUBLISHING:
            log.info("publishing_resumed", event_type=self.name, after=before.value)

    def outage(
        self, sent_at: float, reason: str, retry_after: float | None, **facts: object
    ) -> None:
        """A request failed as a whole."""
        news = self.flow.state is FlowState.PUBLISHING
        now = self._clock.now()
        self.flow.outage(now, sent_at, reason, retry_after, self._chance.random())
        if news:
            log.warning(
                "publishing_backs_off",
                event_type=self.name,
                reason=reason,
                **facts,
                action="everything waits and is sent again; nothing is lost",
            )

    def stop(self, reason: str, **facts: object) -> None:
        """Nothing but a probe goes out until the operator has acted."""
        if self.flow.stop(self._clock.now(), reason):
            log.error(
                "event_type_stopped",
                event_type=self.name,
                reason=reason,
                **facts,
                action=f"one event is tried every {self._probe:g} s; nothing is lost, but the "
                "iterator age grows until somebody " + _REMEDIES.get(reason, _LOOK),
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
