"""The implementations of the DeadLetterSource port that the suite runs on."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from consumer.adapters.aws.queue.dead_letter_source import SqsDeadLetterSource
from consumer.core.dead_letters.redrive import QueuedMessage
from consumer.ports import DeadLetterSource
from tests.conformance.ports.sqs_queue import sqs_queue
from tests.crash.proxy import Proxy
from tests.crash.trouble import Kind, Trouble
from tests.twins.letter_source import LetterSourceTwin

if TYPE_CHECKING:
    from localdev.aws.process import AwsProcess


class LetterSource(Protocol):
    """A port under test, and what the suite must know and do beside it."""

    @property
    def port(self) -> DeadLetterSource: ...

    async def put(self, *bodies: str) -> None:
        """Send messages to the queue."""
        ...

    def absent(self) -> DeadLetterSource:
        """Return the port for a queue that does not exist."""
        ...

    def unreachable(self) -> None:
        """Let nothing arrive from now on."""
        ...

    def loses_answers(self) -> None:
        """Let every call take effect from now on, and no answer come back."""
        ...

    def well(self) -> None:
        """End that."""
        ...

    async def pass_time(self, seconds: float) -> None: ...

    def wall(self) -> float:
        """Return the queue's time in epoch seconds."""
        ...


class OnSqs:
    """A queue of a real server, behind a proxy."""

    def __init__(self, sqs: Any, url: str, way: Proxy) -> None:
        self.port = SqsDeadLetterSource(sqs, url)
        self._sqs = sqs
        self._url = url
        self._way = way

    async def put(self, *bodies: str) -> None:
        for body in bodies:
            await self._sqs.send_message(QueueUrl=self._url, MessageBody=body)

    def absent(self) -> DeadLetterSource:
        return SqsDeadLetterSource(self._sqs, f"{self._url}-absent")

    def unreachable(self) -> None:
        self._way.set(Trouble(Kind.CUT))

    def loses_answers(self) -> None:
        self._way.set(Trouble(Kind.LOSE))

    def well(self) -> None:
        self._way.set(None)

    async def pass_time(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    def wall(self) -> float:
        return time.time()


class OnTwin:
    """The twin of redrive's unit tests."""

    def __init__(self) -> None:
        self.port = LetterSourceTwin()

    async def put(self, *bodies: str) -> None:
        self.port.put(*(body.encode() for body in bodies), sent_at=self.wall())

    def absent(self) -> DeadLetterSource:
        return LetterSourceTwin(absent=True)

    def unreachable(self) -> None:
        self.port.down = 1_000_000

    def loses_answers(self) -> None:
        self.port.forgets = 1_000_000

    def well(self) -> None:
        self.port.down = self.port.forgets = 0

    async def pass_time(self, seconds: float) -> None:
        self.port.clock.shift += seconds

    def wall(self) -> float:
        return self.port.clock.wall()


@asynccontextmanager
async def letter_source(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[LetterSource]:
    """Make what the fixture's parameter names."""
    if request.param == "twin":
        yield OnTwin()
        return
    server: AwsProcess = request.getfixturevalue(request.param)
    async with sqs_queue(server, use_aws, {}) as queue:
        yield OnSqs(*queue)


async def receive_all(source: LetterSource, seconds: float) -> list[QueuedMessage]:
    """Receive until nothing comes any more."""
    found: list[QueuedMessage] = []
    while messages := await source.port.receive(10, seconds):
        found += messages
    return found
