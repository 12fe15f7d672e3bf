from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from localdev.streams.errors import ErrorCode, ServiceError
from localdev.streams.model.iterator import LIFETIME_SECONDS, IteratorType
from localdev.streams.model.options import Options
from localdev.streams.model.record import ViewType
from localdev.streams.model.shard import PAGE_BYTES
from tests.unit.streams.streams_world import START, World, code_of, numbers


def test_pages_follow_each_other_and_an_open_shard_always_returns_an_iterator() -> None:
    world = World()
    for number in range(25):
        world.put(number)
    iterator: str | None = world.iterator()
    seen = []
    for _ in range(5):
        assert iterator is not None
        page = world.model.get_records(iterator, START, limit=10)
        seen.append(numbers(page.records))
        iterator = page.next_iterator
    assert seen == [[*range(10)], [*range(10, 20)], [*range(20, 25)], [], []]
    assert iterator is not None


def test_a_page_ends_at_a_thousand_records() -> None:
    world = World(ViewType.KEYS_ONLY)
    for number in range(1001):
        world.put(number)
    first = world.model.get_records(world.iterator(), START)
    assert len(first.records) == 1000
    assert first.next_iterator is not None
    assert len(world.model.get_records(first.next_iterator, START).records) == 1


def test_a_page_ends_at_a_megabyte_but_holds_one_record_however_large() -> None:
    world = World()
    for number in range(6):
        world.table.put(
            {"id": {"S": "k"}, "n": {"N": str(number)}, "x": {"S": "x" * 390_000}}, START
        )
    sizes = []
    iterator = world.iterator()
    for _ in range(6):
        page = world.model.get_records(iterator, START)
        sizes.append(len(page.records))
        assert len(page.records) == 1 or sum(map(len, page.records)) <= PAGE_BYTES
        assert page.next_iterator is not None
        iterator = page.next_iterator
    assert sizes == [1, 1, 1, 1, 1, 1]  # two images: 780 KB each but the first, of 390 KB


def test_a_record_that_is_larger_than_a_page_has_one_to_itself() -> None:
    world = World()
    for text in ("\x01", "\x02"):  # six bytes each in JSON, one by DynamoDB's rule
        world.table.put({"id": {"S": "k"}, "x": {"S": text * 390_000}}, START)
    first = world.model.get_records(world.iterator(), START)
    assert [len(record) > PAGE_BYTES for record in first.records] == [True]
    assert first.next_iterator is not None
    assert len(world.model.get_records(first.next_iterator, START).records) == 1


def test_latest_is_where_the_shard_ended_when_it_was_asked_for() -> None:
    world = World()
    world.put(1)
    iterator = world.iterator(IteratorType.LATEST)
    world.put(2)
    assert world.numbers(iterator) == [2]


def test_at_and_after_a_sequence_number() -> None:
    world = World()
    for number in range(12):
        world.put(number)
    sequence = world.shard.history[9].sequence
    assert world.numbers(world.iterator(IteratorType.AT_SEQUENCE_NUMBER, sequence)) == [9, 10, 11]
    assert world.numbers(world.iterator(IteratorType.AFTER_SEQUENCE_NUMBER, sequence)) == [10, 11]


def test_at_the_starting_number_of_a_shard_is_its_first_record() -> None:
    world = World()
    world.put(1)
    starting = world.shard.starting
    assert world.numbers(world.iterator(IteratorType.AT_SEQUENCE_NUMBER, starting)) == [1]


def test_after_the_ending_number_of_a_closed_shard_is_its_end() -> None:
    world = World()
    world.put(1)
    parent = world.shard
    world.stream.replace(parent.shard_id, START, 1)
    after = world.iterator(IteratorType.AFTER_SEQUENCE_NUMBER, parent.ending, shard=parent)
    page = world.model.get_records(after, START)
    assert (page.records, page.next_iterator) == ([], None)


@pytest.mark.parametrize(
    "kind", [IteratorType.AT_SEQUENCE_NUMBER, IteratorType.AFTER_SEQUENCE_NUMBER]
)
def test_a_sequence_number_that_is_absent_or_of_another_shard_is_invalid(
    kind: IteratorType,
) -> None:
    world = World()
    world.put(1)
    parent = world.shard
    world.stream.replace(parent.shard_id, START, 1)
    world.put(2)
    foreign = world.shard.history[0].sequence
    for sequence in (None, foreign, parent.starting - 1):
        with pytest.raises(ServiceError) as raised:
            world.iterator(kind, sequence, shard=parent)
        assert code_of(raised) is ErrorCode.VALIDATION


def test_the_closing_page_carries_the_last_records_and_no_iterator() -> None:
    world = World()
    world.put(1)
    parent = world.shard
    iterator = world.iterator()
    world.stream.replace(parent.shard_id, START, 2)
    page = world.model.get_records(iterator, START)
    assert numbers(page.records) == [1]
    assert page.next_iterator is None


def test_a_closed_shard_not_read_to_its_end_returns_an_iterator() -> None:
    world = World()
    world.put(1)
    world.put(2)
    iterator = world.iterator()
    world.stream.replace(world.shard.shard_id, START, 1)
    page = world.model.get_records(iterator, START, limit=1)
    assert page.next_iterator is not None
    assert world.model.get_records(page.next_iterator, START).next_iterator is None


def test_the_closing_page_can_be_an_empty_one_of_its_own() -> None:
    world = World(options=Options(closing_page_has_records=False))
    world.put(1)
    iterator = world.iterator()
    world.stream.replace(world.shard.shard_id, START, 1)
    page = world.model.get_records(iterator, START)
    assert numbers(page.records) == [1]
    assert page.next_iterator is not None
    last = world.model.get_records(page.next_iterator, START)
    assert (last.records, last.next_iterator) == ([], None)


def test_an_empty_page_loses_nothing_and_never_closes_a_shard() -> None:
    world = World()
    world.put(1)
    iterator = world.iterator()
    world.stream.replace(world.shard.shard_id, START, 1)
    page = world.model.get_records(iterator, START, empty=True)
    assert page.records == []
    assert page.next_iterator is not None
    assert world.numbers(page.next_iterator) == [1]


def test_an_empty_page_at_the_end_of_a_closed_shard_keeps_the_iterator() -> None:
    world = World()
    iterator = world.iterator()
    world.stream.replace(world.shard.shard_id, START, 1)
    assert world.model.get_records(iterator, START, empty=True).next_iterator is not None


def test_an_iterator_may_be_used_again_until_it_is_fifteen_minutes_old() -> None:
    world = World()
    world.put(1)
    iterator = world.iterator()
    assert LIFETIME_SECONDS == 900
    assert world.numbers(iterator) == world.numbers(iterator, START + LIFETIME_SECONDS) == [1]
    with pytest.raises(ServiceError) as raised:
        world.numbers(iterator, START + LIFETIME_SECONDS + 0.001)
    assert code_of(raised) is ErrorCode.EXPIRED_ITERATOR


def test_the_iterator_of_a_page_lives_from_that_page_on() -> None:
    world = World()
    page = world.model.get_records(world.iterator(), START + 600)
    assert page.next_iterator is not None
    assert world.numbers(page.next_iterator, START + 600 + LIFETIME_SECONDS) == []


def test_all_iterators_can_be_made_to_expire() -> None:
    world = World()
    old = world.iterator()
    world.model.expire_iterators()
    with pytest.raises(ServiceError) as raised:
        world.numbers(old)
    assert code_of(raised) is ErrorCode.EXPIRED_ITERATOR
    assert world.numbers(world.iterator()) == []


def test_an_iterator_is_short_and_belongs_to_its_model() -> None:
    iterator = World().iterator()
    assert len(iterator) <= 2048
    with pytest.raises(ServiceError) as raised:
        World(seed="another").numbers(iterator)
    assert code_of(raised) is ErrorCode.VALIDATION


@settings(deadline=None)
@given(st.integers(min_value=0), st.characters())
@example(0, "\ud800")  # half of a pair, as JSON may have it
def test_an_iterator_that_was_changed_is_invalid(place: int, character: str) -> None:
    world = World()
    iterator = world.iterator()
    place %= len(iterator)
    changed = iterator[:place] + character + iterator[place + 1 :]
    if changed == iterator:
        return
    with pytest.raises(ServiceError) as raised:
        world.numbers(changed)
    assert code_of(raised) is ErrorCode.VALIDATION
