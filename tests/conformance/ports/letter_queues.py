"""The implementations of the DeadLetterQueue port that the suite runs on."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from consumer.adapters.aws.queue.dead_letter_queue import SqsDeadLetterQueue
from consumer.core.dead_letters.dead_letter import DeadLetter, decode
from consumer.ports import DeadLetterQueue
from tests.conformance.ports.simulated import Simulated, simulated
from tests.conformance.ports.sqs_queue import sqs_queue
from tests.crash.proxy import Proxy
from tests.crash.trouble import Kind, Trouble
from tests.simulation.checks.truth import Record
from tests.simulation.faults.wire import Fate
from tests.simulation.twins.queue_twin import SimQueue
from tests.twins.line import DeadLetterTwin
from tests.unit.core.dead_letters.test_dead_letter import EVENT, LETTER

if TYPE_CHECKING:
    from localdev.aws.process import AwsProcess

QUEUE_BYTES = 2048


class LetterQueue(Protocol):
    """A port under test, and what the suite must know and do beside it."""

    @property
    def port(self) -> DeadLetterQueue: ...

    def letters(self, *taken: bool) -> list[DeadLetter]:
        """Return letters of which the queue will not take some at first."""
        ...

    def unreachable(self) -> None:
        """Let nothing arrive from now on."""
        ...

    def loses_answers(self) -> None:
        """Let every call take effect from now on, and no answer come back."""
        ...

    async def stored(self) -> list[DeadLetter]: ...


class OnSqs:
    """A queue of a real server, behind a proxy. It takes no message of more than QUEUE_BYTES."""

    def __init__(self, sqs: Any, url: str, way: Proxy) -> None:
        self.port = SqsDeadLetterQueue(sqs, url, time.monotonic)
        self._sqs = sqs
        self._url = url
        self._way = way

    def letters(self, *taken: bool) -> list[DeadLetter]:
        return [
            replace(LETTER, sequence=number, event=EVENT % (b"t", b"p" * (1 if short else 5000)))
            for number, short in enumerate(taken)
        ]

    def unreachable(self) -> None:
        self._way.set(Trouble(Kind.CUT))

    def loses_answers(self) -> None:
        self._way.set(Trouble(Kind.LOSE))

    async def stored(self) -> list[DeadLetter]:
        self._way.set(None)
        found: list[DeadLetter] = []
        while True:
            answer = await self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10)
            messages = answer.get("Messages", ())
            if not messages:
                return found
            found += [decode(message["Body"].encode()) for message in messages]


class OnTwin:
    """The twin of the runtime's unit tests."""

    def __init__(self) -> None:
        self.port = DeadLetterTwin()

    def letters(self, *taken: bool) -> list[DeadLetter]:
        self.port.never = frozenset(n for n, take in enumerate(taken) if not take)
        return [replace(LETTER, sequence=number) for number in range(len(taken))]

    def unreachable(self) -> None:
        self.port.refuse = 1_000_000

    def loses_answers(self) -> None:
        self.port.forgets = 1_000_000

    async def stored(self) -> list[DeadLetter]:
        return self.port.letters


class InSimulation:
    """The twin of the simulation."""

    def __init__(self, world: Simulated) -> None:
        self.port = self
        self._world = world
        self._queue = SimQueue(world.wire, world.world.checks, refuses=0.5)

    def letters(self, *taken: bool) -> list[DeadLetter]:
        self._world.chance.draws = [
            *(0.9 if take else 0.1 for take in taken),
        ]
        records = [self._world.write(f"k{number}") for number in range(len(taken))]
        return [self._letter(record) for record in records]

    def _letter(self, record: Record) -> DeadLetter:
        """Return the letter of a record's only event."""
        (event_type,) = record.events
        return replace(
            LETTER, event_type=event_type, sequence=record.sequence, shard_id=record.shard.id
        )

    def unreachable(self) -> None:
        self._world.meet(Fate.RESET_BEFORE)

    def loses_answers(self) -> None:
        self._world.meet(Fate.RESET_AFTER)

    async def send(self, letters: Sequence[DeadLetter]) -> Sequence[bool]:
        return await self._world.run(self._queue.send(letters))

    async def stored(self) -> list[DeadLetter]:
        records = self._world.world.truth.records.values()
        return [
            self._letter(record)
            for record in records
            for event in record.events.values()
            for _ in range(event.dead)
        ]


@asynccontextmanager
async def letter_queue(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[LetterQueue]:
    """Make what the fixture's parameter names."""
    match request.param:
        case "twin":
            yield OnTwin()
        case "simulation":
            with simulated() as world:
                yield InSimulation(world)
        case name:
            server: AwsProcess = request.getfixturevalue(name)
            limit = {"MaximumMessageSize": str(QUEUE_BYTES)}
            async with sqs_queue(server, use_aws, limit) as queue:
                yield OnSqs(*queue)
