"""What goes wrong all the time: the weather on each worker's ways, the moods of the services."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from localdev.streams.model.options import Options
from localdev.streams.model.stale_listings import LieKind, Lies
from tests.simulation.checks.truth import Record, ShardTruth, wall
from tests.simulation.faults.wire import Fate, Weather
from tests.simulation.scenario import EVENT_TYPES, Scenario
from tests.simulation.twins.nakadi_twin import Moods, weather_of_nakadi

if TYPE_CHECKING:
    from tests.simulation.world import World

HIDDEN = 15.0
"""Seconds, at most, until a new shard is listed; a child is shown to who asks for it."""

WRITES = (
    Fate.REFUSED,
    Fate.LOST_BEFORE,
    Fate.LOST_AFTER,
    Fate.RESET_BEFORE,
    Fate.RESET_AFTER,
    Fate.LATE,
)
READS = (Fate.REFUSED, Fate.REFUSED, Fate.LOST_BEFORE, Fate.RESET_AFTER)


def weathers(scenario: Scenario) -> dict[str, Weather]:
    """By port."""
    chance = scenario.streams.of("weather")
    draws = [chance.random() for _ in range(8)]
    lost = 0.02 + 0.2 * draws[0]
    return {
        "table": Weather(
            slow=0.1 * draws[1] if scenario.has("table_slow") else 0.0,
            slow_by=3.0,
            bad=lost if scenario.has("table_lost") else 0.0,
            mix=WRITES,
            late_by=20.0,
            stale=0.5 * draws[5] if scenario.has("table_stale") else 0.0,
        ),
        "streams": Weather(
            slow=0.05 if scenario.has("streams_bad") else 0.0,
            bad=0.3 * draws[2] if scenario.has("streams_bad") else 0.0,
            mix=READS,
        ),
        **{
            nakadi_port(name): weather_of_nakadi(
                slow=0.2 * draws[3] if scenario.has("nakadi_slow") else 0.0,
                bad=0.02 + 0.2 * draws[4] if scenario.has("nakadi_lost") else 0.0,
                late_by=30.0,
            )
            for name in scenario.event_types
        },
        "queue": Weather(bad=0.3 if scenario.has("queue_bad") else 0.0, mix=READS),
    }


def nakadi_port(event_type: str) -> str:
    """The way to an event type: each has its own."""
    return "nakadi" if event_type == EVENT_TYPES[0] else f"nakadi {event_type}"


def moods(scenario: Scenario, event_type: str) -> Moods:
    of = () if event_type == EVENT_TYPES[0] else (event_type,)
    chance = scenario.streams.of("moods", *of)
    draws = [chance.random() for _ in range(8)]
    return Moods(
        partial=0.05 + 0.4 * draws[0] if scenario.has("nakadi_partial") else 0.0,
        refused=0.01 + 0.1 * draws[1] if scenario.has("nakadi_refused") else 0.0,
        rejected=0.02 * draws[2] if scenario.has("nakadi_refused") else 0.0,
        busy=0.02 + 0.3 * draws[3] if scenario.has("nakadi_busy") else 0.0,
        broken=0.02 + 0.3 * draws[4] if scenario.has("nakadi_broken") else 0.0,
        short=0.05 + 0.3 * draws[5] if scenario.has("nakadi_short") else 0.0,
        narrow=scenario.has("nakadi_narrow"),
        retry_after=4.0,
    )


def options(scenario: Scenario) -> Options:
    """What the stream does one way or the other, and how its listings lie."""
    limits = scenario.has("streams_limits")
    sober = Options(
        child_filter=not scenario.has("no_filter"),
        closing_page_has_records=not scenario.has("late_end"),
        readers=2 if limits else 0,
        # Who ignores the filter is an emulator, and has none: a whole listing at each end of a
        # shard would never get through.
        call_limits=limits and not scenario.has("no_filter"),
    )
    if not scenario.has("lies"):
        return replace(sober, lies=_unlisted(scenario, Lies()))
    chance = scenario.streams.of("lies")
    lies = Lies(
        lag=5.0 * chance.random(),
        hidden=HIDDEN * chance.random(),
        open_still=15.0 * chance.random(),
        shuffled=chance.random() < 0.3,
        page=chance.choice((1, 2, 3, 100)),
        last_named=chance.choice((0.0, 0.5, 1.0)),
    )
    delay = HIDDEN * chance.random()
    return replace(sober, children_delay=delay, lies=_unlisted(scenario, lies))


def _unlisted(scenario: Scenario, lies: Lies) -> Lies:
    if not scenario.has("unlisted"):
        return lies
    chance = scenario.streams.of("unlisted")
    part = chance.uniform(0.1, 0.5)
    return replace(lies, unlisted=part, unlisted_seconds=HIDDEN * chance.random())


def hide(world: "World", shards: Sequence[ShardTruth]) -> None:
    """Some of these are not listed for a while from now on."""
    chance = world.scenario.streams.of("hide", world.loop.now)
    lies = world.model.options.lies
    for shard in shards:
        if lies.hidden and chance.random() < 0.5:
            seconds = chance.random() * lies.hidden
            world.model.tell_lie(LieKind.HIDDEN, shard.id, wall(world.loop.now), seconds)


def all_well(world: "World") -> None:
    """Nothing more goes wrong. What lies about the past (shards already there) may still lie."""
    for weather in world.weathers.values():
        weather.bad = weather.slow = weather.stale = 0.0
        weather.out = False
    for process in world.cluster.alive:
        process.node.cut.clear()
        process.node.denied.clear()
    for service in world.nakadi.values():
        service.moods = Moods()
        if world.scenario.has("no_queue"):
            service.poison.clear()  # without a queue a refused event waits for its operator
    for record in world.truth.records.values():
        # Where nothing else is stored any more, nobody can know that it alone fails.
        if record.objected and record.shard.shard.ending is not None:
            _let_pass(world, record)
    world.careless_hand.mend()
    world.operator.resume()
    world.streams.not_found = world.streams.empty_pages = world.streams.spoilt = 0.0
    world.streams.denied_until = 0.0
    lies = replace(world.model.options.lies, lag=0.0)
    world.model.options = replace(world.model.options, lies=lies)


def _let_pass(world: "World", record: Record) -> None:
    for service in world.nakadi.values():
        service.poison.pop(record.sequence, None)


def lift_unprovable(world: "World", *, quiet: bool = False) -> bool:
    """Let events pass that are objected to in shards of which nothing more is read.

    Nothing else is stored there, so nobody can know that such an event alone fails: it waits for an
    operator. The same holds of every shard that retries, once it is `quiet`: nothing is written any
    more. Return whether there was any.
    """
    still = {
        view.shard_id
        for process in world.cluster.serving
        for view in (shard.view() for shard in process.worker.coordinator.shards)
        if view.suspended_cause is not None or (quiet and view.retrying)
    }
    objected = [
        record
        for record in world.truth.records.values()
        if record.objected and record.shard.id in still
        if any(record.sequence in service.poison for service in world.nakadi.values())
    ]
    for record in objected:
        _let_pass(world, record)
    return bool(objected)
