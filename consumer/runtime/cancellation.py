"""A task group whose tasks end with its body.

A TaskGroup cancels its tasks only when its body raises, so the body ends by an error that is caught
here. If the task that runs the body is cancelled while the group waits for its members, the group
raises only the error of its body (Python 3.11 and 3.12), and the cancellation would be lost.

Rule: a group that is ended by an error of its own is opened here, where the cancellation is raised
again.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class _BodyEnded(Exception):
    """Makes a TaskGroup cancel its tasks."""


@asynccontextmanager
async def ending_group() -> AsyncIterator[asyncio.TaskGroup]:
    """Open a TaskGroup whose remaining tasks are cancelled when the body has ended.

    Errors of the body and of the tasks are raised as by a TaskGroup.
    """
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
            raise _BodyEnded
    except* _BodyEnded:
        pass
    heed_cancellation()


def heed_cancellation() -> None:
    """Raise CancelledError if the present task has been cancelled."""
    if is_cancelled():
        raise asyncio.CancelledError


def is_cancelled() -> bool:
    """Return whether the present task has been cancelled.

    What it raises does not tell: of a group, one of whose tasks fails at that moment, only the
    error of the task is raised.
    """
    task = asyncio.current_task()
    return task is not None and bool(task.cancelling())
