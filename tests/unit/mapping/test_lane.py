"""The stand-in of a mapping keeps the rules of Lambda."""

import json
from random import Random
from typing import Any

import pytest

from localdev.event_source_mapping.lane import Lane, MappingOptions, Work, failed_from, lane_of
from localdev.event_source_mapping.mapping import EventSourceMapping, Outcome, ShardRecords
from localdev.event_source_mapping.stream_reading import as_event_record
from tests.twins.shard import STREAM, record
from tests.twins.virtual_time import EPOCH, VirtualClock, run


def records(count: int, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(record(i + 1, f"k{i % 3}", **options)) for i in range(count)]


def numbers(work: Work | None) -> list[int]:
    if work is None:
        return []
    return [int(each["dynamodb"]["SequenceNumber"]) for each in work.records]


def answer(*names: object) -> dict[str, Any]:
    return {"batchItemFailures": [{"itemIdentifier": name} for name in names]}


@pytest.mark.parametrize(
    ("given", "first"),
    [
        (None, None),
        ({}, None),
        ({"batchItemFailures": None}, None),
        ({"batchItemFailures": []}, None),
        (answer("3"), 2),
        (answer("5", "2", "4"), 1),
        (answer(None), 0),
        (answer(""), 0),
        (answer("77"), 0),
        (answer("3", "77"), 0),
        (answer(3), 0),
        ({"batchItemFailures": [{"wrong": "3"}]}, 0),
        ({"batchItemFailures": ["3"]}, 0),
        ({"batchItemFailures": "3"}, 0),
        ("text", 0),
    ],
)
def test_an_answer_names_the_first_record_to_be_repeated(given: object, first: int | None) -> None:
    assert failed_from(given, records(5), reports=True) == first
    assert failed_from(given, records(5), reports=False) is None


def test_what_failed_stays_in_front_of_what_comes_later() -> None:
    lane = Lane(MappingOptions(batch_size=4, reports=True))
    lane.add(records(8), EPOCH)
    work = lane.next(EPOCH)
    assert work is not None
    assert not lane.ended(work, answer("3"), error=False)
    again = lane.next(EPOCH)
    assert numbers(again) == [3, 4]
    assert again is not None
    assert lane.ended(again, answer(), error=False)
    assert numbers(lane.next(EPOCH)) == [5, 6, 7, 8]
    assert lane.empty


@pytest.mark.parametrize("bisect", [True, False])
def test_an_error_repeats_the_batch_or_its_halves(*, bisect: bool) -> None:
    lane = Lane(MappingOptions(bisect=bisect, reports=True))
    lane.add(records(5), EPOCH)
    work = lane.next(EPOCH)
    assert work is not None
    assert not lane.ended(work, None, error=True)
    found = [numbers(lane.next(EPOCH)), numbers(lane.next(EPOCH))]
    assert found == ([[1, 2], [3, 4, 5]] if bisect else [[1, 2, 3, 4, 5], []])


def test_halving_a_batch_is_no_attempt() -> None:
    lane = Lane(MappingOptions(bisect=True, attempts=0, reports=True))
    lane.add(records(4), EPOCH)
    tried: list[list[int]] = []
    while work := lane.next(EPOCH):
        tried.append(numbers(work))
        lane.ended(work, answer(), error=3 in tried[-1])
    assert tried == [[1, 2, 3, 4], [1, 2], [3, 4], [3], [4]]
    assert [numbers(Work(each.payload)) for each in lane.discarded] == [[3]]


def test_what_is_past_its_attempts_or_age_is_thrown_away() -> None:
    lane = Lane(MappingOptions(attempts=1, age=100, reports=True))
    lane.add([*records(2, created_at=EPOCH - 101), *records(4)[2:]], EPOCH)
    work = lane.next(EPOCH)
    assert numbers(work) == [3, 4]
    assert work is not None
    assert not lane.ended(work, None, error=True)
    work = lane.next(EPOCH)
    assert work is not None
    assert not lane.ended(work, None, error=True)
    assert lane.empty
    found = [(each.reason, len(each.payload)) for each in lane.discarded]
    assert found == [("RecordAgeExceeded", 2), ("RetryAttemptsExhausted", 2)]


def test_a_long_backlog_may_be_too_old_as_a_whole() -> None:
    lane = Lane(MappingOptions(batch_size=1, age=100, reports=True))
    lane.add([*records(2_000, created_at=EPOCH - 101), *records(2_001)[2_000:]], EPOCH)
    assert numbers(lane.next(EPOCH)) == [2_001]
    assert lane.empty


def test_an_event_has_at_most_6_mb_and_waits_for_its_window() -> None:
    lane = Lane(MappingOptions(batch_size=100, window=10))
    lane.add(records(3, size=4_000_000), EPOCH)
    assert lane.next(EPOCH + 9) is None
    assert numbers(lane.next(EPOCH + 10)) == [1]
    assert numbers(lane.next(EPOCH + 10)) == [2]


def test_a_key_has_one_lane() -> None:
    lanes = {lane_of(each, 10) for each in records(30)}
    assert len(lanes) <= 3


def test_a_child_begins_when_its_parent_has_ended() -> None:
    begun: list[list[int]] = []

    class Slow:
        async def invoke(self, event: Any) -> Outcome:
            begun.append(numbers(Work(event["Records"])))
            await clock.sleep(1)
            return Outcome(answer())

    clock = VirtualClock()

    async def main() -> None:
        mapping = EventSourceMapping(
            Slow(), MappingOptions(2, reports=True), Random(1), wall=clock.wall
        )
        found = records(6)
        await mapping.run([ShardRecords("b", "a", found[3:]), ShardRecords("a", "gone", found[:3])])

    run(main)
    assert begun == [[1, 2], [3], [4, 5], [6]]


def test_a_record_is_spelled_as_lambda_spells_it() -> None:
    given = {"eventID": "1", "userIdentity": {"PrincipalId": "p", "Type": "Service"}}
    assert as_event_record(given, STREAM.arn) == {
        "eventID": "1",
        "userIdentity": {"principalId": "p", "type": "Service"},
        "eventSourceARN": STREAM.arn,
    }
