"""A cancellation that must not be lost.

A TaskGroup whose body has raised, and whose task is cancelled while it waits for its members,
raises only the error of its body (Python 3.11 and 3.12). Who swallows that error, because it was
raised to end the group, has swallowed the cancellation, too.

Rule: after each `except*` of an error that only ends a group, `heed_cancellation` is called.
"""

from __future__ import annotations

import asyncio


def heed_cancellation() -> None:
    """Raise CancelledError if the present task has been asked to end."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError
