"""Exports of the table: begun once each, however often the command is ended and started again.

Rule: what will be asked for is stored before the request is sent, and the export's ARN as soon as
it is known. While an answer is unknown, the request is repeated with its token; once DynamoDB would
take that for another request, its exports are listed first.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from consumer.core.repair.export import ExportState, ExportStatus, ExportTask, Step
from consumer.errors import Misconfigured, Unreachable
from consumer.patience import Patience

if TYPE_CHECKING:
    from collections.abc import Callable

    from consumer.core.repair.export import Destination
    from consumer.core.repair.window import Restorable, Window
    from consumer.ports import Chance, Clock
    from consumer.repair_ports import Exports, RepairStore

TRIES: Final = 10
PAUSE_SECONDS: Final = 0.5
PAUSE_MAX_SECONDS: Final = 20.0
"""Most calls in a row that fail, and the pauses between them: about a minute."""

LOOK_SECONDS: Final = 10.0
"""Between two looks at an export, or at what can be restored."""

EXPORT_SECONDS: Final = 24 * 3600.0
"""The longest wait for one export. A later run goes on waiting for the same one."""

RECOVERY_SECONDS: Final = 3600.0
"""The longest wait until point-in-time recovery, minutes behind, has reached a window's end."""


class Exporting:
    """Makes the exports of one table. `told` is called with a line of progress now and then.

    `anew` has each export made once more, whatever an earlier run has made.
    """

    def __init__(
        self,
        exports: Exports,
        store: RepairStore,
        table: str,
        destination: Destination,
        clock: Clock,
        chance: Chance,
        new_token: Callable[[], str],
        told: Callable[[str], None],
        *,
        anew: bool = False,
    ) -> None:
        self._exports = exports
        self._store = store
        self._table = table
        self._destination = destination
        self._clock = clock
        self._patience = Patience(
            clock, chance, first=PAUSE_SECONDS, longest=PAUSE_MAX_SECONDS, tries=TRIES
        )
        self._new_token = new_token
        self._told = told
        self._anew = anew

    async def restorable(self) -> Restorable | None:
        """Return what can be restored, None if point-in-time recovery is off."""
        return await self._patience.answer(self._exports.restorable)

    async def described(self, arn: str) -> ExportState:
        """Return an export that exists, once it is complete. Raise Misconfigured if it failed."""
        state = await self._until_ended(arn)
        if state.status is ExportStatus.FAILED:
            raise _failed(state)
        return state

    async def until_restorable(self, end: int) -> None:
        """Wait until point-in-time recovery has reached `end` (epoch seconds)."""
        limit = self._clock.now() + RECOVERY_SECONDS
        while True:
            found = await self.restorable()
            if found is not None and found.latest >= end:
                return
            if self._clock.now() > limit:
                raise Unreachable(
                    f"table {self._table}: point-in-time recovery has not reached the gap's end in"
                    f" {RECOVERY_SECONDS:g} s; run the command again later"
                )
            self._told("waiting until point-in-time recovery has reached the end of the window")
            await self._clock.sleep(LOOK_SECONDS)

    async def export(self, window: Window) -> ExportState:
        """Return the complete export of a window, begun by this run or an earlier one.

        Raise Misconfigured if one that was begun now fails, Retryable, Unreachable.
        """
        task = await self._patience.answer(partial(self._store.read_export, self._table, window))
        begun_before = task is not None and task.arn is not None and not self._anew
        if task is None or self._anew:
            task = await self._put(task, self._new(window))
        while True:
            match task.next_step(self._clock.wall()):
                case Step.ASK:
                    task = await self._ask(task)
                case Step.LOOK:
                    task = await self._look(task)
                case Step.FOLLOW:
                    state = await self._until_ended(task.arn or "")
                    if state.status is ExportStatus.COMPLETED:
                        return state
                    task = await self._put(task, self._new(window))
                    if not begun_before:
                        raise _failed(state)
                    begun_before = False

    def _new(self, window: Window) -> ExportTask:
        return ExportTask(window, self._destination, self._new_token(), self._clock.wall())

    async def _put(self, expected: ExportTask | None, task: ExportTask) -> ExportTask:
        return await self._patience.answer(
            partial(self._store.put_export, self._table, expected, task)
        )

    async def _ask(self, task: ExportTask) -> ExportTask:
        """Send the request, again with the same token while the answer is unknown."""
        if task.destination != self._destination:
            task = await self._put(task, self._new(task.window))
        state = await self._patience.answer(partial(self._exports.start, task))
        return await self._put(task, replace(task, arn=state.arn))

    async def _look(self, task: ExportTask) -> ExportTask:
        """Look for the export that an old request may have begun; else ask with a new token."""
        for state in await self._patience.answer(self._exports.incremental):
            if state.is_of(task):
                return await self._put(task, replace(task, arn=state.arn))
        return await self._put(task, self._new(task.window))

    async def _until_ended(self, arn: str) -> ExportState:
        limit = self._clock.now() + EXPORT_SECONDS
        while True:
            state = await self._patience.answer(partial(self._exports.describe, arn))
            if state.status is not ExportStatus.IN_PROGRESS:
                return state
            if self._clock.now() > limit:
                raise Unreachable(
                    f"export {arn} is not complete after {EXPORT_SECONDS:g} s; run the command"
                    " again, and it goes on waiting"
                )
            self._told(f"export {arn} is in progress")
            await self._clock.sleep(LOOK_SECONDS)


def _failed(state: ExportState) -> Misconfigured:
    return Misconfigured(
        f"export {state.arn} failed: {state.failure or 'DynamoDB gives no reason'}"
    )
