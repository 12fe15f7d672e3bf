"""What is refused, and by which name: the same of our model, our server and of emulators."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.conformance.streams.stream_bench import (
    SERVICES,
    Bench,
    Can,
    bench,
    item,
    refusal,
    sequence,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

NO_SHARD = "shardId-00000000000000000001-12345678"


@pytest.fixture(params=SERVICES)
def on(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request)


def test_what_is_not_there_is_not_found(on: Bench) -> None:
    service, arn = on.service, on.create()
    label = arn.rpartition("/")[2]
    gone = arn.replace(label, "2020-01-01T00:00:00.000")
    for call in (
        lambda: service.latest("no-such-table"),
        lambda: service.put("no-such-table", item("k", 1)),
        lambda: service.describe(gone),
        lambda: service.iterator(arn, NO_SHARD, "TRIM_HORIZON"),
        lambda: service.iterator(gone, on.shard(arn), "TRIM_HORIZON"),
    ):
        assert refusal(call) == "ResourceNotFoundException"


def test_a_table_is_created_once(on: Bench) -> None:
    on.create()
    assert refusal(on.create) == "ResourceInUseException"


def test_an_iterator_that_is_none_is_invalid(on: Bench) -> None:
    arn = on.create()
    iterator = on.horizon(arn)
    for wrong in ("x", f"{arn}|1|AAAA", iterator[:-8] + "AAAAAAA"):
        assert refusal(partial(on.service.records, wrong)) == "ValidationException"


@pytest.mark.parametrize("kind", ["AT_SEQUENCE_NUMBER", "AFTER_SEQUENCE_NUMBER"])
def test_a_position_without_its_number_is_invalid(on: Bench, kind: str) -> None:
    arn = on.create()
    on.put("k", 1)
    shard = on.shard(arn)
    assert refusal(lambda: on.service.iterator(arn, shard, kind)) == "ValidationException"
    on.needs(Can.REFUSE_NUMBERS)
    for number in ("1", "9" * 40, "9" * 41):
        call = partial(on.service.iterator, arn, shard, kind, number)
        assert refusal(call) == "ValidationException"


@pytest.mark.parametrize("kind", ["TRIM_HORIZON", "LATEST"])
def test_a_number_for_a_position_that_has_none_is_invalid(on: Bench, kind: str) -> None:
    on.needs(Can.REFUSE_NUMBER_WITHOUT_NEED)
    arn = on.create()
    on.put("k", 1)
    number = sequence(on.read(on.horizon(arn))[0][0])
    shard = on.shard(arn)
    assert refusal(lambda: on.service.iterator(arn, shard, kind, number)) == "ValidationException"


def test_a_kind_of_position_that_is_none_is_invalid(on: Bench) -> None:
    on.needs(Can.REFUSE_NAMES)
    arn = on.create()
    shard = on.shard(arn)
    assert refusal(lambda: on.service.iterator(arn, shard, "NONE")) == "ValidationException"


@pytest.mark.parametrize("limit", [0, 101])
def test_a_limit_of_a_listing_out_of_range_is_invalid(on: Bench, limit: int) -> None:
    on.needs(Can.REFUSE_LIMITS)
    arn = on.create()
    assert refusal(lambda: on.service.describe(arn, limit=limit)) == "ValidationException"
    assert refusal(lambda: on.service.streams(None, limit=limit)) == "ValidationException"


@pytest.mark.parametrize("limit", [0, 1001])
def test_a_limit_of_a_page_out_of_range_is_invalid(on: Bench, limit: int) -> None:
    on.needs(Can.REFUSE_LIMITS)
    iterator = on.horizon(on.create())
    assert refusal(lambda: on.service.records(iterator, limit)) == "ValidationException"
