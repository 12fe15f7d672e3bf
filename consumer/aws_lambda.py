"""The handlers that AWS Lambda calls: `consumer.aws_lambda.relay`, `consumer.aws_lambda.redrive`.

Lambda imports this module and takes a function from it by its name. So it is a module and no
package, whose `__init__` would have to have the functions. Importing it opens nothing and draws no
random number: what was imported may be kept as a snapshot, and go on in many processes (SnapStart).

One event loop lasts as long as the process, as do the clients that were made on it. It stands still
between two invocations, so no task may be left when one returns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from consumer import imports

with imports.kept():
    import asyncio
    import os
    import sys

    from consumer.adapters.clock import SystemClock
    from consumer.adapters.resumed_clock import ResumedClock
    from consumer.errors import ConsumerError, first_in
    from consumer.lambda_relay import LambdaRelay
    from consumer.observability import logs
    from consumer.settings.loading import (
        DEAD_LETTER_QUEUE,
        EVENT_TYPE,
        NAKADI,
        SERVICE,
        load_settings,
    )

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from consumer.settings.loading import Need
    from consumer.settings.settings import Settings

Answer = TypeVar("Answer")

MILLISECONDS = 1_000


class Context(Protocol):
    """What Lambda tells a handler of the invocation."""

    memory_limit_in_mb: str | int

    def get_remaining_time_in_millis(self) -> int:
        """Return how many milliseconds are left of the invocation."""
        ...


class _Process:
    """What lasts as long as the process. It is empty until the first invocation."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None
        self._settings: Settings | None = None
        self._relay: LambdaRelay | None = None

    def relay(self, event: object, context: Context) -> Mapping[str, object]:
        """Run one invocation of the relay."""
        relay = self._relay
        if relay is None:
            settings = self._loaded(SERVICE)
            clock = ResumedClock(SystemClock())
            relay = LambdaRelay(settings, clock, int(context.memory_limit_in_mb))
            self._relay = relay
        return self._run(relay.invoke(event, _remaining(context)))

    def redrive(self, event: object, context: Context) -> Mapping[str, object]:
        """Run one redrive."""
        # Not above: a function is one of the two, and only the relay's delays are those of events.
        from consumer.commands.events import redrive_function  # noqa: PLC0415

        settings = self._loaded((EVENT_TYPE, NAKADI, DEAD_LETTER_QUEUE))
        return self._run(redrive_function.redrive(settings, event, _remaining(context)))

    def _loaded(self, needs: tuple[Need, ...]) -> Settings:
        if self._settings is None:
            settings = load_settings(os.environ, needs)
            logs.configure(settings.log_level, settings.log_format, sys.stdout)
            self._settings = settings
        return self._settings

    def _run(self, main: Coroutine[object, object, Answer]) -> Answer:
        """Run to the end on the loop of the process.

        Lambda shows no more of an error than its text, and a group's own says nothing.
        """
        if self._runner is None:
            self._runner = asyncio.Runner()
        try:
            return self._runner.run(main)
        except BaseExceptionGroup as group:
            raise first_in(group, ConsumerError) or _first_of(group) from group


_PROCESS = _Process()


def relay(event: object, context: Context) -> Mapping[str, object]:
    """Publish the records of an event source mapping, and answer which are not settled.

    Raise an error if the mapping does not report failures, or if the event is none of its stream:
    then Lambda repeats the whole batch.
    """
    return _PROCESS.relay(event, context)


def redrive(event: object, context: Context) -> Mapping[str, object]:
    """Publish the letters of the dead letter queue again; the event has the command's options.

    Raise an error if the command would have another exit code than 0.
    """
    return _PROCESS.redrive(event, context)


def _first_of(error: BaseException) -> BaseException:
    """Return the first error in nested groups."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _remaining(context: Context) -> float:
    return context.get_remaining_time_in_millis() / MILLISECONDS
