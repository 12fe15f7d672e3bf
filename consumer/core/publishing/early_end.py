"""The early end of a run: it is called off, or can send nothing more to an event type.

A service waits until it can send again; a command ends, and says why.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from consumer.core.publishing.flow import FlowState

if TYPE_CHECKING:
    from consumer.core.publishing.flow import Flow

CALLED_OFF: Final = "it was called off"
"""Why a run ends that an operator, or the platform, has stopped."""

PATIENCE_SECONDS: Final = 120.0
"""A run ends after this long without progress: an outage, or a partition that stays down."""


def dead_end(flow: Flow, last: str, idle: float) -> str | None:
    """Return why nothing more can be sent to an event type, None as long as something can.

    `last` is what Nakadi answered last when it did not store an event. For `idle` seconds no event
    was settled.
    """
    if flow.state is FlowState.STOPPED:
        return (
            f"Nakadi answered {last}; check the event type, the permission to write to it, and the"
            " proxies in between"
        )
    if idle > PATIENCE_SECONDS:
        return f"no progress for {PATIENCE_SECONDS:g} s, last {last}"
    return None
