"""Looks at the definition of an event type that cannot take its route's events, until it can.

Ownership: the watch is the only one that stops and starts the event type meanwhile; nothing is sent
to it before the definition fits. It asks as often as a probe would be sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.preflight.check_result import CheckResult
from consumer.runtime.signal import Signal

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.ports import Definition
    from consumer.runtime.publishing.event_type import EventType


class DefinitionWatch:
    """`changed` is called when the event type may be published to."""

    def __init__(
        self, event_type: EventType, definition: Definition, changed: Callable[[], None]
    ) -> None:
        self._event_type = event_type
        self._definition = definition
        self._changed = changed
        self._stopped = Signal()
        self._stopping = False
        event_type.unfit(definition.wrong)

    def stop(self) -> None:
        """End `run`."""
        self._stopping = True
        self._stopped.notify()

    async def run(self) -> None:
        """Ask until the definition fits, or until stopped."""
        while not self._stopping:
            await self._stopped.wait(self._event_type.limits.probe)
            found = None if self._stopping else await self._definition.ask()
            if isinstance(found, CheckResult):
                self._event_type.unfit(found)
            elif found is not None and not self._stopping:
                self._event_type.fits(found)
                self._changed()
                return
