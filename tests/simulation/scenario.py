"""What a seed stands for: the cluster, the stream's life, the workload, and what goes wrong.

Each kind of trouble is in a seed or not (a swarm: a random subset), and draws from a stream of its
own, so leaving one out leaves the rest of the seed as it was.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from random import Random

from msgspec.structs import replace

from consumer.core.limits import LeaseTiming, PollTiming, PublishLimits
from tests.simulation.chance import Streams
from tests.simulation.checks.narrowing import Narrowing, Rules, Showing

ORDERLY = (
    "sigterm",  # a worker is stopped in an orderly way, and replaced or not
    "join",  # a worker more
    "split",
    "rotate",
    "lies",  # listings are behind, go backwards, leave shards out for a while
    "empty_pages",
    "hot",  # one key has most of the changes
    "bursts",
    "latest",  # the application starts at LATEST
    "iso",  # or at a time
    "restream",  # the table gets a new stream
    "shuffle",  # ready callbacks run in any order
    "skew",  # wall clocks differ
    "wrong_clock",  # by up to an hour
    "step",  # somebody sets the wall clock of a worker
    "small_pages",
    "hold",  # an operator pauses shards, and resumes them
    "seek",  # an operator sends shards somewhere else
    "torn",  # reads of the lease table come in pages, each of another moment
    "unlisted",  # some shards are in no listing for a while; whoever asks for children sees them
    "no_filter",  # CHILD_SHARDS is ignored: the answer is the whole listing
    "late_end",  # the end of a shard comes on a page of its own
    "no_latest",  # a fresh LATEST iterator is refused as trimmed
    "spoilt",  # iterators, fresh ones too, are refused as invalid
    "mixed",  # workers have timings of their own, as while settings are rolled out
    "routes",  # the changes go to several event types
    "filter",  # event types take only some of the changes
    "moves",  # workers have a single event type, or routes that others have not, as in rolls
    "rest",  # one takes what the filter of no other takes
    "seen",  # and show only some attributes, or count only some changes
    "reroute",  # workers that start later have another event type, and lack one
    "seek_type",  # an operator sends shards back for one event type
    "touch",  # somebody touches items
)
FAULTS = (
    "crash",
    "pause",  # as SIGSTOP and a late SIGCONT
    "suspend",  # the machine sleeps: timers stand, the clock has jumped
    "night",  # nobody runs for a day
    "drop",  # the table is deleted while changes wait, and made again or not
    "unfit",  # its newest stream lacks images for a while, until there is another one
    "trims",  # records are about to be 24 h old
    "expire",  # all iterators at once
    "not_found",  # ResourceNotFound for a shard that is there
    "table_slow",
    "table_stale",  # reads take effect early, and are answered just in time
    "table_lost",  # requests and answers are lost, effects come late
    "table_out",
    "damaged",  # somebody's hand damages a row of the lease table, or makes one, for a while
    "denied",  # a role lacks a right for a while
    "streams_bad",
    "streams_out",
    "streams_limits",  # two readers a shard, and ten DescribeStream calls, a second
    "cut",  # one worker cannot reach one of the services for a while
    "blind",  # nobody can read the stream for more than a minute
    "nakadi_slow",
    "nakadi_lost",  # time-outs before and after the effect, and effects that come late
    "nakadi_partial",  # 207
    "nakadi_refused",  # 422 and 400 for healthy events
    "nakadi_busy",  # 429, 503
    "nakadi_broken",  # 500, 502
    "nakadi_narrow",  # 413
    "nakadi_short",  # answers with other items than events
    "nakadi_between",  # something in between answers all for a while
    "firewall",  # something in between objects to some events, for ever
    "unplaced",  # nobody knows how the event type is partitioned
    "nakadi_door",  # 401, 403, 404 for a while
    "nakadi_down",  # one partition fails for a while
    "one_down",  # of several event types one is stopped for long; workers come and go meanwhile
    "nakadi_out",
    "poison",
    "queue_bad",
    "big",
    "long_names",  # patches that are a hundred times as long as their items
    "long_pages",  # the JSON of a page is longer than the megabyte of items that it stands for
    "runs",  # key_run_events above 1
    "few_letters",  # a small dead letter limit
    "no_queue",  # there is no dead letter queue
    "max_age",  # old records become dead letters
)
EXCLUSIVE = {"iso": "latest", "max_age": "no_queue", "unplaced": "firewall"}
"""Kinds that are left out where the other one is in.

They cannot be configured together; or, without partitions, what a firewall never lets pass waits.
"""

KINDS = ORDERLY + FAULTS
RARE = {"touch": 0.15}
"""Kinds that came later, and how often: other seeds are what they were before."""

TIMED = {
    "crash": 3,
    "pause": 3,
    "suspend": 2,
    "sigterm": 3,
    "step": 3,
    "join": 2,
    "split": 4,
    "rotate": 4,
    "hold": 2,
    "seek": 3,
    "expire": 2,
    "night": 1,
    "restream": 1,
    "drop": 1,
    "unfit": 1,
    "table_out": 2,
    "damaged": 3,
    "denied": 2,
    "streams_out": 2,
    "cut": 2,
    "blind": 1,
    "nakadi_out": 2,
    "nakadi_between": 2,
    "nakadi_door": 1,
    "nakadi_down": 2,
    "seek_type": 2,
    "one_down": 2,
}
"""Kinds that happen at a time, and how often at most."""


DAY = 24 * 3600.0

USUAL, QUICK, SLOW = (2.0, 10.0, 2.0), (1.0, 6.0, 1.5), (15.0, 60.0, 10.0)
"""Seconds of heartbeat, lease duration and scan."""

EVENT_TYPES = ("order", "order.public", "order.audit")
NEW_EVENT_TYPE = "order.new"

FILTERS = (Narrowing.NONE, Narrowing.VIEW, Narrowing.NEW_IMAGE, Narrowing.NAMES)

MIXED = (USUAL, QUICK, SLOW, (5.0, 20.0, 4.0))

QUEUES = (4 << 20, 7 << 20, 16 << 20, 64 << 20)
"""Bytes of a worker's queue. A page needs 3 MiB: below 16, which the settings demand, readers wait
for each other already where a few shards have little to do. Of 4 MiB only the spare page is left,
and shards take turns."""

ENOUGH = 16 << 20
"""Where an event waits for a sign that others are stored, these others must be read."""


@dataclass(frozen=True)
class Happening:
    """Something that happens at `at` seconds; `chance` draws its details."""

    at: float
    kind: str
    chance: Random


@dataclass(frozen=True)
class Workload:
    """`backlog` changes before the first worker starts, then `changes` in `seconds`.

    `big` is the part of them whose items have 50 to 350 KB.
    """

    backlog: int
    changes: int
    keys: int
    seconds: float
    big: float
    long_names: float


@dataclass
class Scenario:
    """Everything drawn for a seed, without the kinds left out."""

    seed: int
    streams: Streams
    kinds: frozenset[str]
    orderly: bool
    workers: int
    shards: int
    workload: Workload
    timing: LeaseTiming
    poll: PollTiming
    limits: PublishLimits
    queue_bytes: int
    publish_timeout: float
    happenings: list[Happening] = field(default_factory=list)

    def has(self, kind: str) -> bool:
        return kind in self.kinds

    @property
    def has_kinds(self) -> bool:
        """Whether items have a kind, which may change."""
        return bool(self.kinds & {"filter", "rest", "seen", "reroute"})

    @property
    def event_types(self) -> tuple[str, ...]:
        """To which changes are published by any worker."""
        return tuple(self.rules | self.later_rules)

    @property
    def rules(self) -> dict[str, Rules]:
        """The event types of the first workers, and what each of them takes and shows."""
        return self._drawn[0]

    @property
    def later_rules(self) -> dict[str, Rules]:
        """Those of the workers that start later."""
        return self._drawn[1]

    @property
    def versions(self) -> tuple[dict[str, Rules], dict[str, Rules]]:
        """Those of the first workers, and those of the later ones."""
        return self._drawn

    def version_of(self, worker: str) -> int:
        """Which of the versions a worker has."""
        return int(worker.removeprefix("w")) > self.workers

    def rules_of(self, worker: str) -> dict[str, Rules]:
        """Those of a worker."""
        return self.versions[self.version_of(worker)]

    @cached_property
    def _drawn(self) -> tuple[dict[str, Rules], dict[str, Rules]]:
        names: tuple[str, ...] = EVENT_TYPES[:1]
        if self.has("routes"):
            names = EVENT_TYPES[: self.streams.of("routes").choice((2, 2, 3))]
        narrowings = dict.fromkeys(names, Narrowing.NONE)
        if self.has("filter"):
            chance = self.streams.of("filter")
            narrowings = {name: chance.choice(FILTERS) for name in names}
        if self.has("rest") and Narrowing.NONE not in list(narrowings.values())[1:]:
            narrowings[names[0]] = Narrowing.REST
        showings = dict.fromkeys(names, Showing.ALL)
        if self.has("seen"):
            chance = self.streams.of("seen")
            showings = {name: chance.choice(tuple(Showing)) for name in names}
        first = {name: Rules(narrowings[name], showings[name]) for name in names}
        if not self.has("reroute"):
            return first, first
        return first, self._reroute(first)

    def _reroute(self, first: Mapping[str, Rules]) -> dict[str, Rules]:
        """One event type comes and, if others stay, one goes or takes something else.

        The routes may come in another order.
        """
        chance = self.streams.of("reroute")
        later = dict(first)
        if len(first) > 1:
            name = chance.choice(tuple(first)[1:])
            if chance.random() < 0.5:
                del later[name]
            else:
                later[name] = Rules(chance.choice(FILTERS), first[name].showing)
        later[NEW_EVENT_TYPE] = Rules(chance.choice(FILTERS))
        return dict(reversed(later.items())) if chance.random() < 0.5 else later

    @property
    def start(self) -> float | None:
        """Loop time at which the application starts to be interested; None if always."""
        if not self.has("iso"):
            return None
        chance = self.streams.of("iso")
        among_backlog = chance.uniform(0.0, 50.0) - self.age
        return chance.choice((among_backlog, chance.uniform(-10.0, 30.0)))

    def timing_of(self, worker: str) -> LeaseTiming:
        """The timing of the settings that this worker starts with."""
        if not self.has("mixed"):
            return self.timing
        heartbeat, duration, scan = self.streams.of("mixed", worker).choice(MIXED)
        return replace(self.timing, heartbeat=heartbeat, lease_duration=duration, scan=scan)

    @property
    def age(self) -> float:
        """Age of the oldest change in seconds when the first worker starts."""
        return DAY - 5.0 if self.has("trims") else 3600.0


def draw(seed: int, without: Collection[str] = (), size: float = 1.0) -> Scenario:
    """The scenario of a seed, without some kinds and with a part of its workload."""
    streams = Streams(seed)
    chance = streams.of("scenario")
    orderly = chance.random() < 0.15
    share = 0.15 + 0.35 * chance.random()
    kinds = set()
    for kind in KINDS:
        often = RARE.get(kind, max(share, 0.4) if kind in ORDERLY else share)
        in_it = streams.of("kind", kind).random() < often
        if in_it and (not orderly or kind in ORDERLY):
            kinds.add(kind)
    kinds -= {kind for kind, other in EXCLUSIVE.items() if other in kinds}
    kinds -= set(without)  # last, so that nothing comes in for what is left out
    timing = _timing(streams.of("timing"), orderly=orderly)
    workload = _workload(streams.of("workload"), size, kinds)
    scenario = Scenario(
        seed=seed,
        streams=streams,
        kinds=frozenset(kinds),
        orderly=orderly,
        workers=chance.randint(1, 5),
        shards=chance.choice((1, 1, 2, 3, 4, 6)),
        workload=workload,
        timing=timing,
        poll=PollTiming(),
        limits=_limits(streams.of("limits"), kinds),
        queue_bytes=max(chance.choice(QUEUES), ENOUGH if "firewall" in kinds else 0),
        publish_timeout=chance.choice((5.0, 10.0, 40.0)),
    )
    for kind, most in TIMED.items():
        if kind in kinds:
            times = streams.of("times", kind)
            for number in range(times.randint(1, most)):
                at = times.random() * workload.seconds
                scenario.happenings.append(Happening(at, kind, streams.of("detail", kind, number)))
    scenario.happenings.sort(key=lambda happening: (happening.at, happening.kind))
    return scenario


def _timing(chance: Random, *, orderly: bool) -> LeaseTiming:
    heartbeat, duration, scan = chance.choice((USUAL, USUAL, QUICK))
    return LeaseTiming(
        heartbeat=heartbeat,
        lease_duration=duration,
        scan=scan,
        discovery=chance.choice((10.0, 30.0, 60.0)),
        checkpoint=chance.choice((1.0, 5.0)),
        drain=25.0 if orderly else chance.choice((3.0, 10.0, 25.0)),
    )


def _limits(chance: Random, kinds: Collection[str]) -> PublishLimits:
    return PublishLimits(
        batch_events=chance.choice((1, 3, 10, 500)),
        key_run_events=chance.choice((2, 5)) if "runs" in kinds else 1,
        concurrency=chance.choice((1, 3, 8)),
        probe=chance.choice((2.0, 10.0)),
        max_attempts=min(chance.choice((5, 100)), 5 if "firewall" in kinds else 100),
        dead_letter_limit=4 if "few_letters" in kinds else 100,
        max_record_age=chance.choice((15.0, 600.0, 7200.0)) if "max_age" in kinds else None,
    )


def _workload(chance: Random, size: float, kinds: Collection[str]) -> Workload:
    return Workload(
        backlog=int(chance.choice((0, 20, 100)) * size),
        changes=int(chance.choice((20, 60, 150)) * size),
        keys=chance.choice((2, 5, 20, 60)),
        seconds=chance.uniform(15.0, 50.0),
        big=chance.choice((0.05, 0.05, 0.3)) if "big" in kinds else 0.0,
        long_names=chance.choice((0.3, 0.7)) if "long_names" in kinds else 0.0,
    )
