"""What happens at a time: to workers, to the stream, to the services."""

import asyncio
from random import Random
from typing import TYPE_CHECKING

from localdev.streams.model.record import ViewType
from tests.simulation.checks.truth import wall
from tests.simulation.faults.random_faults import hide, nakadi_port
from tests.simulation.faults.wire import Weather
from tests.simulation.scenario import Happening

if TYPE_CHECKING:
    from tests.simulation.cluster import Process
    from tests.simulation.world import World

HOUR = 3600.0
RETENTION = 24 * HOUR
RIGHTS = (
    ("read_peers", "read_leases", "read_gaps", "read_commands"),  # dynamodb:Query
    ("put_worker", "create_stream", "create_lease", "put_gap"),  # dynamodb:PutItem
    ("write_lease", "replace_stream", "mark_parent_gone", "complete_gap"),  # dynamodb:UpdateItem
    ("delete_worker", "delete_lease"),  # dynamodb:DeleteItem
    ("latest_stream", "ensure_table"),  # dynamodb:DescribeTable
    ("describe_stream", "child_shards"),
    ("shard_iterator",),
    ("get_records",),
    ("dead_letters",),  # sqs:SendMessage
)
"""Calls that need the same right."""

SILENCE = (50.0, 130.0)  # seconds without reading; a shard is given up after a minute
TO_WORKERS = ("crash", "pause", "suspend", "sigterm", "join")
"""Counted where they happen, each worker of a night apart; nobody may be there to meet them."""

OPEN_MOST = 10  # open shards; beyond them shards only rotate


class ScheduledFaults:
    """Carries out what the scenario has drawn."""

    def __init__(self, world: "World") -> None:
        self._world = world
        self._handlers = {
            "crash": self._crash,
            "pause": self._pause,
            "suspend": self._suspend,
            "sigterm": self._sigterm,
            "join": self._join,
            "step": self._step,
            "split": self._split,
            "rotate": self._rotate,
            "expire": self._expire,
            "night": self._night,
            "restream": self._restream,
            "drop": self._drop,
            "unfit": self._unfit,
            "table_out": self._table_out,
            "streams_out": self._streams_out,
            "cut": self._cut,
            "blind": self._blind,
            "nakadi_out": self._nakadi_out,
            "nakadi_between": self._between,
            "nakadi_door": self._door,
            "nakadi_down": self._down,
            "one_down": self._one_down,
            "seek_type": world.operator.seek_type,
            "denied": self._denied,
            "damaged": world.careless_hand.damage,
            "hold": world.operator.hold,
            "seek": world.operator.seek,
        }

    async def run(self) -> None:
        """All of them, each at its time; a night shifts those after it."""
        world = self._world
        shift = 0.0
        forgetting = world.loop.create_task(self._forget())
        for happening in world.scenario.happenings:
            await asyncio.sleep(max(0.0, happening.at + shift - world.loop.now))
            before = world.loop.now
            await self._begin(happening)
            shift += world.loop.now - before
        await asyncio.sleep(max(0.0, world.scenario.workload.seconds + shift - world.loop.now))
        forgetting.cancel()
        await asyncio.gather(forgetting, return_exceptions=True)

    async def _begin(self, happening: Happening) -> None:
        self._world.tell("world", happening.kind)
        if happening.kind not in TO_WORKERS:
            self._world.happened[happening.kind] += 1
        await self._handlers[happening.kind](happening.chance)

    async def _forget(self) -> None:
        """The stream's retention."""
        if not self._world.scenario.has("trims"):
            return
        while True:
            await asyncio.sleep(1.7)
            await self._world.day.wait()  # the night forgets at its end
            self._retain()

    def _retain(self) -> None:
        world = self._world
        count = world.truth.forget(wall(world.loop.now) - RETENTION)
        if count:
            world.tell("stream", "forgets", f"{count} records")
            world.happened["records forgotten"] += count

    # -- workers

    def _one(self, chance: Random) -> "Process | None":
        serving = [process for process in self._world.cluster.serving if not process.node.stopped]
        return chance.choice(serving) if serving else None

    async def _crash(self, chance: Random) -> None:
        process = self._one(chance)
        after = chance.uniform(0.0, 20.0)
        if process is not None:
            self._world.cluster.crash(process)
            if chance.random() < 0.7:
                self._world.loop.later(after, self._replace)

    async def _sigterm(self, chance: Random) -> None:
        process = self._one(chance)
        after = chance.uniform(0.0, 10.0)
        if process is not None:
            self._world.cluster.stop(process)
            if chance.random() < 0.7 or len(self._world.cluster.serving) == 0:
                self._world.loop.later(after, self._replace)

    def _replace(self) -> None:
        if self._world.day.is_set() and not self._world.well:
            self._world.cluster.start()

    async def _join(self, chance: Random) -> None:
        self._replace()

    async def _step(self, chance: Random) -> None:
        process = self._one(chance)
        seconds = chance.choice((chance.uniform(-HOUR, HOUR), chance.uniform(-30.0, 30.0)))
        if process is not None:
            self._world.tell(process.name, "has its clock set", f"{seconds:+.1f} s")
            process.machine.skew += seconds

    async def _pause(self, chance: Random) -> None:
        process = self._one(chance)
        seconds = chance.choice((chance.uniform(0.5, 6.0), chance.uniform(6.0, 30.0)))
        if process is not None:
            self._world.cluster.pause(process, seconds, suspend=False)

    async def _suspend(self, chance: Random) -> None:
        process = self._one(chance)
        seconds = chance.uniform(1.0, 30.0)
        if process is not None:
            self._world.cluster.pause(process, seconds, suspend=True)

    async def _night(self, chance: Random) -> None:
        """Nobody runs for about a day, while the stream forgets."""
        world = self._world
        orderly = chance.random() < 0.3
        for process in world.cluster.alive:
            if orderly and process.serving and not process.node.stopped:
                world.cluster.stop(process)
            elif not orderly:
                world.cluster.crash(process)
        if orderly:
            await asyncio.sleep(world.scenario.timing.drain + 30.0)
            for process in world.cluster.alive:
                world.cluster.crash(process)
        world.day.clear()
        hours = chance.choice((chance.uniform(1.0, 26.0), chance.uniform(23.0, 26.0)))
        await asyncio.sleep(hours * HOUR)
        self._retain()
        world.day.set()
        for _ in range(chance.randint(1, 3)):
            world.cluster.start()

    # -- the stream

    def replace(self, chance: Random, children: int, at: float) -> None:
        """Close one open shard and go on in its children, of which there are `children`."""
        world = self._world
        stream = world.writer.stream
        if stream is None or not stream.enabled:
            return
        shard = chance.choice(stream.open_shards)
        if len(stream.open_shards) >= OPEN_MOST:
            children = 1
        stream.replace(shard.shard_id, at, children)
        world.trace.add(world.loop.now, "stream", "closes", shard.shard_id)
        world.note_shards()

    async def _split(self, chance: Random) -> None:
        self.replace(chance, chance.choice((2, 2, 3)), wall(self._world.loop.now))

    async def _rotate(self, chance: Random) -> None:
        for _ in range(chance.choice((1, 1, 3))):
            self.replace(chance, 1, wall(self._world.loop.now))

    async def _expire(self, chance: Random) -> None:
        self._world.model.expire_iterators()

    async def _restream(self, chance: Random) -> None:
        self._new_stream(ViewType.NEW_AND_OLD_IMAGES)

    def _new_stream(self, view_type: ViewType) -> None:
        world = self._world
        now = wall(world.loop.now)
        if "orders" in world.model.tables:
            world.model.disable_stream("orders", now)
            world.model.enable_stream("orders", view_type, now)
            hide(world, world.note_shards())

    async def _unfit(self, chance: Random) -> None:
        """The newest stream has too few images, until an operator mends it."""
        self._new_stream(chance.choice((ViewType.KEYS_ONLY, ViewType.NEW_IMAGE)))
        await asyncio.sleep(chance.uniform(5.0, 100.0))
        self._new_stream(ViewType.NEW_AND_OLD_IMAGES)

    async def _drop(self, chance: Random) -> None:
        """The table is deleted while changes wait; in most cases somebody makes it again."""
        world = self._world
        table = world.model.delete_table("orders", wall(world.loop.now))
        await asyncio.sleep(chance.uniform(1.0, 60.0))
        if chance.random() < 0.7:
            now = wall(world.loop.now)
            world.model.create_table("orders", table.key_schema, now, shards=table.initial_shards)
            hide(world, world.note_shards())

    # -- the services

    def _outage(self, weather: Weather, seconds: float) -> None:
        def over() -> None:
            weather.out = False

        weather.out = True
        self._world.loop.later(seconds, over)

    async def _table_out(self, chance: Random) -> None:
        self._outage(self._world.weathers["table"], chance.uniform(1.0, 25.0))

    async def _streams_out(self, chance: Random) -> None:
        self._outage(self._world.weathers["streams"], chance.uniform(1.0, 25.0))

    async def _cut(self, chance: Random) -> None:
        process = self._one(chance)
        port = chance.choice(("table", "nakadi", "streams", "streams"))
        seconds = chance.uniform(5.0, 40.0)
        if port == "streams":
            seconds = chance.uniform(*SILENCE)
        if process is None:
            return
        cut = process.node.cut
        cut.add(port)
        self._world.tell(process.name, "is cut off", f"from {port} for {seconds:.1f} s")
        self._world.loop.later(seconds, cut.discard, port)
        if port == "streams":
            await asyncio.sleep(seconds)

    async def _denied(self, chance: Random) -> None:
        """A role lacks a right: that of one worker, or of all that run."""
        serving = self._world.cluster.serving
        if not serving:
            return
        calls = set(chance.choice(RIGHTS))
        alone = chance.random() < 0.5
        seconds = chance.uniform(2.0, 60.0)
        for process in [chance.choice(serving)] if alone else serving:
            process.node.denied |= calls
            self._world.tell(process.name, "lacks a right", f"{sorted(calls)} for {seconds:.1f} s")
            self._world.loop.later(seconds, process.node.denied.difference_update, calls)

    async def _blind(self, chance: Random) -> None:
        seconds = chance.uniform(*SILENCE)
        self._outage(self._world.weathers["streams"], seconds)
        await asyncio.sleep(seconds)

    async def _nakadi_out(self, chance: Random) -> None:
        """The way to some event types; they may be all."""
        for name in self._some_event_types(chance):
            self._outage(self._world.weathers[nakadi_port(name)], chance.uniform(1.0, 25.0))

    def _some_event_types(self, chance: Random) -> list[str]:
        names = self._world.scenario.event_types
        if len(names) == 1:
            return list(names)
        return chance.sample(names, chance.randint(1, len(names)))

    async def _door(self, chance: Random) -> None:
        for name in self._some_event_types(chance):
            self._mood(name, "door", chance.choice((401, 403, 404)), chance.uniform(1.0, 15.0))

    async def _one_down(self, chance: Random) -> None:
        """One of several is stopped for long. Meanwhile a worker ends, in one way or another."""
        names, seconds = self._world.scenario.event_types, chance.uniform(20.0, 60.0)
        if len(names) == 1:
            return
        name, ends = chance.choice(names), chance.choice((self._crash, self._sigterm))
        door = chance.random() < 0.7
        self._mood(name, "door" if door else "between", 403 if door else 503, seconds)
        self._world.tell("nakadi", "refuses all of", f"{name} for {seconds:.1f} s")
        until = self._world.loop.now + seconds
        await asyncio.sleep(seconds * chance.uniform(0.3, 0.9))
        if self._world.loop.now < until:
            await ends(chance)

    async def _between(self, chance: Random) -> None:
        statuses = (301, 400, 403, 404, 503)
        for name in self._some_event_types(chance):
            self._mood(name, "between", chance.choice(statuses), chance.uniform(1.0, 25.0))

    async def _down(self, chance: Random) -> None:
        for name in self._some_event_types(chance):
            self._mood(name, "down", str(chance.randrange(4)), chance.uniform(1.0, 20.0))

    def _mood(self, event_type: str, mood: str, value: object, seconds: float) -> None:
        moods = self._world.nakadi[event_type].moods
        setattr(moods, mood, value)
        self._world.loop.later(seconds, setattr, moods, mood, None)
