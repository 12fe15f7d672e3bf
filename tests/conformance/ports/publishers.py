"""The implementations of the Publisher port that the suite runs on."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pytest

from consumer.adapters.clock import SystemClock
from consumer.adapters.nakadi import Nakadi
from consumer.adapters.token import NoToken
from consumer.core.publishing.answer import Answer
from consumer.ports import Publisher
from localdev.nakadi.java import string_hash
from localdev.nakadi.process import NakadiProcess
from tests.conformance.ports.simulated import Simulated, simulated
from tests.integration.fault_matrix import create
from tests.simulation.faults.wire import Fate
from tests.simulation.scenario import EVENT_TYPES
from tests.simulation.twins.nakadi_twin import RULE, SimNakadi
from tests.twins.nakadi import NakadiTwin, Reply, refusal, sequence_of

PATIENT, HASTY = 60.0, 2.0
"""Seconds after which a client of the real server gives up."""

DATA_TYPE = EVENT_TYPES[0]
"""The simulation's twin tells event types by it."""

LATE = 2 * HASTY
"""Seconds after which a late request is stored."""


@dataclass(frozen=True)
class Event:
    """An event to publish. One that is `bad` is not valid."""

    key: str
    sequence: int
    body: bytes
    bad: bool


class Bus(Protocol):
    """A port under test, and what the suite must know and do beside it.

    What is announced meets all requests from then on.
    """

    @property
    def port(self) -> Publisher: ...

    def event(self, key: str, *, bad: bool = False) -> Event: ...

    def partition(self, key: str) -> str: ...

    def fails_with(self, status: int, *, retry_after: int | None = None) -> None:
        """Announce an error that stores nothing."""
        ...

    def breaks_after_storing(self) -> None:
        """Announce an error 500 that comes after all events were stored."""
        ...

    def loses_partition(self, partition: str) -> None:
        """Announce that no event of a partition can be stored."""
        ...

    def resets(self, *, stores: bool) -> None:
        """Announce that the connection breaks before an answer."""
        ...

    def is_late(self) -> None:
        """Announce that the events are stored after the client has given up."""
        ...

    async def stored(self, count: int) -> list[int]:
        """Return the sequences of what is stored, in that order, when there are `count` of them."""
        ...


def body_of(key: str, sequence: int, *, bad: bool) -> bytes:
    """Return a data change event. `bad`: its `data_op` is none."""
    event = {
        "metadata": {"eid": str(uuid.uuid4()), "occurred_at": "2026-11-01T09:30:00Z"},
        "data_type": DATA_TYPE,
        "data_op": "?" if bad else "U",
        "data": {"id": key, "change": {"sequence": f"{sequence:040}"}},
    }
    return json.dumps(event).encode()


class OnServer:
    """An event type of the local Nakadi, over a real socket."""

    def __init__(self, server: NakadiProcess, patient: Nakadi, hasty: Nakadi, name: str) -> None:
        self.port = patient
        self._hasty = hasty
        self._server = server
        self._name = name
        self._sequence = 0

    def event(self, key: str, *, bad: bool = False) -> Event:
        self._sequence += 1
        return Event(key, self._sequence, body_of(key, self._sequence, bad=bad), bad)

    def partition(self, key: str) -> str:
        return str(abs(string_hash(key)) % 3)

    def _fault(self, **members: object) -> None:
        self._server.add_fault(event_type=self._name, **members)

    def fails_with(self, status: int, *, retry_after: int | None = None) -> None:
        self._fault(kind="status", status=status, retry_after=retry_after)

    def breaks_after_storing(self) -> None:
        self._fault(kind="status", status=500, when="after")

    def loses_partition(self, partition: str) -> None:
        self._fault(kind="partial", mode="partition", partitions=[partition])

    def resets(self, *, stores: bool) -> None:
        self._fault(kind="reset", when="after" if stores else "before")

    def is_late(self) -> None:
        self._fault(kind="delay", delay=LATE)
        self.port = self._hasty

    async def stored(self, count: int) -> list[int]:
        async with asyncio.timeout(60):
            while len(log := self._server.log(self._name, "sequence")) < count:
                await asyncio.sleep(0.05)
        return [int(str(entry["sequence"])) for entry in log]


class OnTwin:
    """The twin of the runtime's unit tests, told what to answer."""

    def __init__(self) -> None:
        self.port = NakadiTwin(script=self._answer)
        self._sequence = 0
        self._events: dict[bytes, Event] = {}
        self._reply: Reply | None = None
        self._stores = False
        self._down: str | None = None

    def event(self, key: str, *, bad: bool = False) -> Event:
        self._sequence += 1
        body = body_of(key, self._sequence, bad=bad)
        made = self._events[body] = Event(key, self._sequence, body, bad)
        return made

    def partition(self, key: str) -> str:
        return str(len(key))

    def fails_with(self, status: int, *, retry_after: int | None = None) -> None:
        self._reply = Reply(status, retry_after=retry_after)

    def breaks_after_storing(self) -> None:
        self._reply, self._stores = Reply(500), True

    def loses_partition(self, partition: str) -> None:
        self._down = partition

    def resets(self, *, stores: bool) -> None:
        self._reply, self._stores = Reply(0, reason="reset"), stores

    def is_late(self) -> None:
        self._reply, self._stores = Reply(0, reason="timeout"), True

    async def stored(self, count: int) -> list[int]:
        return [sequence_of(body) for body in self.port.stored]

    def _answer(self, bodies: list[bytes]) -> Reply:
        events = [self._events[body] for body in bodies]
        bad = [index for index, event in enumerate(events) if event.bad]
        if bad:
            return refusal(len(events), bad[0])
        if self._down is not None:
            items = [
                ("failed" if self.partition(event.key) == self._down else "submitted", "publishing")
                for event in events
            ]
            return Reply(207, items, partitions=[self.partition(event.key) for event in events])
        reply = self._reply or Reply()
        return replace(reply, stores=range(len(events))) if self._stores else reply


class InSimulation:
    """The twin of the simulation."""

    def __init__(self, world: Simulated) -> None:
        self._world = world
        (self._service,) = world.world.nakadi.values()
        self._moods = self._service.moods
        self._twin = SimNakadi(self._service, world.wire, limit=10.0)

    @property
    def port(self) -> Publisher:
        return self

    async def publish(self, bodies: Sequence[bytes]) -> Answer:
        return await self._world.run(self._twin.publish(bodies))

    def event(self, key: str, *, bad: bool = False) -> Event:
        sequence = self._world.write(key).sequence
        if bad:
            self._service.poison[sequence] = "named"
        return Event(key, sequence, body_of(key, sequence, bad=bad), bad)

    def partition(self, key: str) -> str:
        return RULE.partition(json.dumps({"data": {"id": key}}).encode()) or ""

    def fails_with(self, status: int, *, retry_after: int | None = None) -> None:
        if retry_after is None:
            self._moods.door = status
            return
        self._moods.busy = 1.0
        self._moods.retry_after = 2.0 * retry_after
        self._world.chance.draws = [0.5] * 3 + [0.1 if status == 429 else 0.9, 0.5]

    def breaks_after_storing(self) -> None:
        self._moods.broken = 1.0
        self._world.chance.draws = [0.5] * 3 + [0.1, 0.1]

    def loses_partition(self, partition: str) -> None:
        self._moods.down = partition

    def resets(self, *, stores: bool) -> None:
        self._world.meet(Fate.RESET_AFTER if stores else Fate.RESET_BEFORE)

    def is_late(self) -> None:
        self._world.meet(Fate.LATE)

    async def stored(self, count: int) -> list[int]:
        await self._world.pass_time()
        lines = self._world.world.trace.lines
        return [int(detail.split()[-1]) for _, _, what, _, detail in lines if "stored" in what]


@asynccontextmanager
async def bus(request: pytest.FixtureRequest) -> AsyncIterator[Bus]:
    """Make what the fixture's parameter names."""
    match request.param:
        case "twin":
            yield OnTwin()
        case "simulation":
            with simulated() as world:
                yield InSimulation(world)
        case name:
            server: NakadiProcess = request.getfixturevalue(name)
            event_type = f"conformance.t{uuid.uuid4().hex[:8]}"
            create(server, event_type)
            settings: dict[str, Any] = {
                "token": NoToken(),
                "clock": SystemClock(),
                "concurrency": 2,
            }
            patient, hasty = (
                Nakadi(server.url, event_type, timeout=timeout, **settings)
                for timeout in (PATIENT, HASTY)
            )
            async with patient, hasty:
                yield OnServer(server, patient, hasty, event_type)
            server.remove_faults()
