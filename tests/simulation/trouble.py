"""What goes wrong all the time: the weather on each worker's ways, the moods of the services."""

from typing import TYPE_CHECKING

from tests.simulation.nakadi_twin import Moods, weather_of_nakadi
from tests.simulation.scenario import Scenario
from tests.simulation.stream_twin import Lies
from tests.simulation.wire import Fate, Weather

if TYPE_CHECKING:
    from tests.simulation.world import World

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
        ),
        "streams": Weather(
            slow=0.05 if scenario.has("streams_bad") else 0.0,
            bad=0.3 * draws[2] if scenario.has("streams_bad") else 0.0,
            mix=READS,
        ),
        "nakadi": weather_of_nakadi(
            slow=0.2 * draws[3] if scenario.has("nakadi_slow") else 0.0,
            bad=0.02 + 0.2 * draws[4] if scenario.has("nakadi_lost") else 0.0,
            late_by=30.0,
        ),
        "queue": Weather(bad=0.3 if scenario.has("queue_bad") else 0.0, mix=READS),
    }


def moods(scenario: Scenario) -> Moods:
    chance = scenario.streams.of("moods")
    draws = [chance.random() for _ in range(8)]
    return Moods(
        partial=0.05 + 0.4 * draws[0] if scenario.has("nakadi_partial") else 0.0,
        refused=0.01 + 0.1 * draws[1] if scenario.has("nakadi_refused") else 0.0,
        rejected=0.02 * draws[2] if scenario.has("nakadi_refused") else 0.0,
        busy=0.02 + 0.3 * draws[3] if scenario.has("nakadi_busy") else 0.0,
        broken=0.02 + 0.3 * draws[4] if scenario.has("nakadi_broken") else 0.0,
        narrow=scenario.has("nakadi_narrow"),
        retry_after=4.0,
    )


def lies(scenario: Scenario) -> Lies:
    chance = scenario.streams.of("lies")
    draws = [chance.random() for _ in range(8)]
    found = Lies(
        empty_pages=0.05 + 0.4 * draws[0] if scenario.has("empty_pages") else 0.0,
        not_found=0.05 * draws[1] if scenario.has("not_found") else 0.0,
    )
    if scenario.has("lies"):
        found.open_still = 15.0 * draws[4]
        found.page = (1, 2, 3, 100)[int(4 * draws[6])]
    # A shard that no listing shows while its stream is retired is found too late (see restream).
    if scenario.has("lies") and not scenario.has("restream"):
        found.lag = 5.0 * draws[2]
        found.hidden = 15.0 * draws[3]
        found.children_hidden = 15.0 * draws[5]
    return found


def all_well(world: "World") -> None:
    """Nothing more goes wrong. What lies about the past (shards already there) may still lie."""
    for weather in world.weathers.values():
        weather.bad = weather.slow = 0.0
        weather.out = False
    world.nakadi.moods = Moods()
    if world.scenario.has("few_letters") or world.scenario.has("nakadi_door"):
        # An event type that has stopped waits for its operator, or for an event that is accepted;
        # there may be none if all others wait behind a refused one for their shard's parent.
        world.nakadi.poison.clear()
    world.streams.lies.not_found = 0.0
    world.streams.lies.empty_pages = 0.0
    world.streams.lies.lag = 0.0
