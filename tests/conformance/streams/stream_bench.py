"""The services that the model is held against, and what each of them cannot do."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from enum import StrEnum
from itertools import count
from typing import TYPE_CHECKING

import pytest

from tests.conformance.streams.stream_model import ModelService
from tests.conformance.streams.stream_server import AwsService
from tests.conformance.streams.stream_services import Refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.conformance.streams.stream_services import Item, Listing, Record, Service

SERVICES = ["model", "streams_server", "ministack", "dynamodb_local_server"]
OURS = SERVICES[:2]

_tables = count(1)


class Can(StrEnum):
    """What a service must be able to do for a test to make sense on it."""

    CHILD_FILTER = "ShardFilter CHILD_SHARDS is honoured"
    EMPTY_SHARD_STARTS = "an open shard without records has a StartingSequenceNumber"
    ITEM_SIZES = "SizeBytes says how large keys and images are"
    KEY_NUMBERS = "an item is found however its key's numbers are written"
    LATEST = "a fresh LATEST iterator can always be used"
    LIST_ALL_STREAMS = "ListStreams names disabled streams, too"
    LIST_FROM = "ListStreams goes on after any ARN"
    MEGABYTE_PAGES = "a page ends at 1 MB"
    NESTED_NUMBERS = "numbers in lists and maps have one spelling, too"
    REFUSE_LIMITS = "a Limit out of range is refused"
    REFUSE_NAMES = "a type that is none is refused"
    REFUSE_NUMBERS = "a sequence number of no record of the shard is refused as invalid"
    REFUSE_NUMBER_WITHOUT_NEED = "a sequence number with TRIM_HORIZON or LATEST is refused"
    REFUSE_SWITCH = "enabling what is enabled, and disabling what is not, is refused"
    SETS = "another order within a set is no change"


MISSING: dict[str, dict[Can, str]] = {
    "model": {
        Can.REFUSE_LIMITS: "the members of a request are looked at before the model is called",
        Can.REFUSE_NAMES: "the members of a request are looked at before the model is called",
    },
    "streams_server": {},
    "ministack": {
        Can.EMPTY_SHARD_STARTS: "has no StartingSequenceNumber before the first record",
        Can.ITEM_SIZES: "SizeBytes is always 0",
        Can.KEY_NUMBERS: "DeleteItem finds the canonical spelling only",
        Can.LIST_ALL_STREAMS: "lists the latest stream of a table only",
        Can.LIST_FROM: "starts again from an ARN that it does not know",
        Can.REFUSE_LIMITS: "clamps, or takes no notice",
        Can.REFUSE_NUMBERS: "says TrimmedDataAccessException",
        Can.REFUSE_NUMBER_WITHOUT_NEED: "takes no notice",
        Can.REFUSE_SWITCH: "does it, and so changes the view type of a stream",
        Can.SETS: "makes a MODIFY record",
        Can.MEGABYTE_PAGES: "counts records only",
    },
    "dynamodb_local_server": {
        Can.CHILD_FILTER: "lists all shards",
        Can.LATEST: "says TrimmedDataAccessException at times",
        Can.MEGABYTE_PAGES: "counts records only",
        Can.NESTED_NUMBERS: "gives them back as they were written",
        Can.REFUSE_NUMBERS: "says InternalFailure for a number beyond the last",
    },
}
"""Why a test is left out. Splits, trims and expiry on demand are ours only: see OURS."""


@dataclass(frozen=True)
class Bench:
    """One service, and a table of it that no other test uses."""

    name: str
    service: Service
    table: str

    def needs(self, *what: Can) -> None:
        """Leave the test out where the service cannot do this."""
        for can in what:
            if can in MISSING[self.name]:
                pytest.skip(f"{self.name}: {MISSING[self.name][can]} ({can})")

    def create(self, view: str = "NEW_AND_OLD_IMAGES", *, sort: bool = False) -> str:
        """Create the table; return its stream's ARN."""
        self.service.create(self.table, view, sort=sort)
        arn = self.service.latest(self.table)
        assert arn is not None
        return arn

    def put(self, key: str, number: int) -> None:
        self.service.put(self.table, item(key, number))

    def shard(self, arn: str) -> str:
        """The only shard of a stream."""
        (shard,) = self.service.describe(arn).shards
        return shard.shard_id

    def horizon(self, arn: str, shard: str | None = None) -> str:
        return self.service.iterator(arn, shard or self.shard(arn), "TRIM_HORIZON")

    def listings(self, arn: str, limit: int = 100) -> list[Listing]:
        """All pages of a listing."""
        pages: list[Listing] = []
        after = None
        while not pages or after is not None:
            pages.append(self.service.describe(arn, after, limit))
            after = pages[-1].last
            assert len(pages) < 1000
        return pages

    def read(self, iterator: str | None, limit: int = 1000) -> tuple[list[Record], str | None]:
        """Read to the end, or to where three pages are empty."""
        found: list[Record] = []
        empty = 0
        while iterator is not None and empty < 3:
            page, iterator = self.service.records(iterator, limit)
            assert len(page) <= limit
            found += page
            empty = 0 if page else empty + 1
        return found, iterator


def item(key: str, number: int) -> Item:
    return {"id": {"S": key}, "n": {"N": str(number)}}


def sequence(record: Record) -> str:
    return str(record["dynamodb"]["SequenceNumber"])


def changes(records: list[Record]) -> list[tuple[str, str, str | None]]:
    """Of each record: its event name, key, and `n` of its new image."""
    return [
        (
            record["eventName"],
            record["dynamodb"]["Keys"]["id"]["S"],
            record["dynamodb"].get("NewImage", {}).get("n", {}).get("N"),
        )
        for record in records
    ]


def refusal(call: Callable[[], object]) -> str:
    """The error that a call is answered with."""
    with pytest.raises(Refused) as raised:
        call()
    return raised.value.code


def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Yield what the fixture's parameter names."""
    name = request.param
    table = f"model-{next(_tables)}"
    if name == "model":
        yield Bench(name, ModelService(), table)
        return
    server = request.getfixturevalue(name)
    with closing(AwsService(server.environment(), getattr(server, "control", None))) as service:
        yield Bench(name, service, table)
