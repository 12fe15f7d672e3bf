"""A stream: shards that rotate and split, and the rule which of them takes a change.

The open shards always divide the whole hash space among them, so a key's changes go to one shard
until that one closes, and then to the child that owns the key's hash.
"""

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Final

from localdev.streams import names
from localdev.streams.errors import not_found
from localdev.streams.model.hash_range import HashRange
from localdev.streams.model.key_schema import KeySchema
from localdev.streams.model.record import Change, Entry, ViewType, encode_keys, encode_record
from localdev.streams.model.shard import Shard

LISTING_SHARDS: Final = 100  # AWS: DescribeStream


@dataclass(slots=True)
class Stream:
    """One stream of a table. `shards` are all that ever were, by id, in order of creation."""

    arn: str
    label: str
    table: str
    key_schema: KeySchema
    view_type: ViewType
    created_at: float
    seed: str
    exponent_times: bool = False
    time_resolution: int = 1
    lower_case_identity: bool = False
    enabled: bool = True
    shards: dict[str, Shard] = field(default_factory=dict)
    _open: list[Shard] = field(default_factory=list)  # ordered by hash range
    _numbers: int = 0  # sequence numbers given out

    def open_with(self, shards: int, now: float) -> None:
        """Create the first shards."""
        self._open = [self._create(None, part, now) for part in HashRange.whole().parts(shards)]

    @property
    def open_shards(self) -> tuple[Shard, ...]:
        """The shards that take changes now."""
        return tuple(self._open)

    @property
    def gone(self) -> bool:
        """Whether the service has forgotten the stream: disabled, and the last shard aged out."""
        return not self.enabled and all(shard.gone for shard in self.shards.values())

    def shard(self, shard_id: str) -> Shard:
        """Return a shard. Raise ServiceError (not found), also after it aged out."""
        shard = self.shards.get(shard_id)
        if shard is None or shard.gone:
            raise not_found(f"Shard: {shard_id} in stream: {self.arn} not found")
        return shard

    def append(self, change: Change, now: float) -> Entry:
        """Write the record of a change; return what is remembered of it."""
        shard = self._open[self._owner(self.key_schema.hash(change.key))]
        sequence = self._next_number()
        event_id = names.digest(self.seed, self.arn, sequence)
        keys = encode_keys(change.key)
        entry = Entry(sequence, now, event_id, change.event_name, keys)
        body = encode_record(
            change,
            entry,
            self.view_type,
            exponent_times=self.exponent_times,
            time_resolution=self.time_resolution,
            lower_case_identity=self.lower_case_identity,
        )
        shard.append(entry, body)
        return entry

    def replace(self, shard_id: str, now: float, children: int) -> tuple[Shard, ...]:
        """Close a shard and go on in its children.

        One child is a rotation, as about every 4 h; more are a split, as when a table grows.
        """
        parent = self.shard(shard_id)
        parts = parent.hash_range.parts(children)
        parent.close(self._next_number(), now)
        created = [self._create(shard_id, part, now) for part in parts]
        place = self._owner(parent.hash_range.start)
        self._open[place : place + 1] = created
        return tuple(created)

    def disable(self, now: float) -> None:
        """Close all shards for good; they stay readable until they age out."""
        self.enabled = False
        for shard in self._open:
            shard.close(self._next_number(), now)
        self._open = []

    def listed(self) -> list[Shard]:
        """Return the shards that DescribeStream knows, by id; parents may be absent already."""
        return sorted(
            (shard for shard in self.shards.values() if not shard.gone),
            key=lambda shard: shard.shard_id,
        )

    def retain_after(self, time: float) -> None:
        """Forget records written, and shards closed, before `time`."""
        for shard in self.shards.values():
            if shard.closed_at is not None and shard.closed_at < time:
                shard.age_out()
            else:
                shard.trim_before(time)

    def _create(self, parent: str | None, hash_range: HashRange, now: float) -> Shard:
        shard_id = None
        while shard_id is None or shard_id in self.shards:  # eight digits may repeat
            starting = self._next_number()
            noise = names.digest(self.seed, self.arn, "shard", starting)
            shard_id = names.shard_id(int(now * 1000), noise)
        shard = self.shards[shard_id] = Shard(
            shard_id, parent, hash_range, starting, created_at=now
        )
        return shard

    def _owner(self, key_hash: int) -> int:
        """Return the index of the open shard whose range holds the hash."""
        return bisect_right(self._open, key_hash, key=lambda shard: shard.hash_range.start) - 1

    def _next_number(self) -> int:
        self._numbers += 1
        return names.sequence_number(self.seed + self.arn, self._numbers)
