"""Finds the table, stream or shards that a control command names."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from localdev.streams.errors import invalid
from localdev.streams.http.arguments import Arguments
from localdev.streams.model.shard import Shard
from localdev.streams.model.stream import Stream
from localdev.streams.model.streams_model import StreamsModel
from localdev.streams.model.table import Table


@dataclass(frozen=True, slots=True)
class Selection:
    """Every method raises ServiceError if the named thing does not exist, or a name is missing."""

    model: StreamsModel
    random: Random

    def table(self, asked: Arguments) -> Table:
        """Return the table named, or the only one."""
        name = asked.optional_text("table")
        if name is not None:
            return self.model.table(name)
        if len(self.model.tables) != 1:
            raise invalid(f"there are {len(self.model.tables)} tables: name one as `table`")
        return next(iter(self.model.tables.values()))

    def stream(self, asked: Arguments) -> Stream:
        """Return the stream named, or the table's latest."""
        arn = asked.optional_text("stream")
        if arn is not None:
            return self.model.stream(arn)
        table = self.table(asked)
        if table.stream is None:
            raise invalid(f"{table.name} has no stream")
        return table.stream

    def shards(self, asked: Arguments, among: Sequence[Shard], default: str) -> list[Shard]:
        """Return the shard named, one by chance, or all of those that the command applies to."""
        name = asked.optional_text("shard") or default
        if name == "all":
            return list(among)
        found = [shard for shard in among if name in ("random", shard.shard_id)]
        if not found:
            raise invalid(f"no shard {name!r} that this applies to")
        return [self.random.choice(found)]


def ids(shards: Sequence[Shard]) -> list[str]:
    """Return the shards' ids."""
    return [shard.shard_id for shard in shards]
