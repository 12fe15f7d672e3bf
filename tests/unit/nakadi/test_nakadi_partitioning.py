"""Partitions, by the vectors of the specification."""

from __future__ import annotations

from typing import Any

import pytest

from localdev.nakadi.event_types.partitioning import PartitioningError, partitioner, path_of

DATA: dict[str, Any] = {
    "category": "data",
    "partition_strategy": "hash",
    "partition_key_fields": ["k"],
}


def hashed(partitions: int, value: Any) -> str:
    return partitioner(DATA, partitions)({"data": {"k": value}})


@pytest.mark.parametrize(
    ("key", "of_3", "of_8", "of_12"),
    [
        ("order-1", 2, 6, 2),
        ("order-2", 1, 5, 1),
        ("äöü", 0, 2, 6),
        ("😀", 1, 3, 7),
        ("", 0, 0, 0),
    ],
)
def test_the_index_is_into_names_sorted_as_strings(
    key: str, of_3: int, of_8: int, of_12: int
) -> None:
    for partitions, index in ((3, of_3), (8, of_8), (12, of_12)):
        names = sorted(str(number) for number in range(partitions))
        assert hashed(partitions, key) == names[index]


def test_several_fields_add_up() -> None:
    two = {**DATA, "partition_key_fields": ["country", "k"]}
    event: dict[str, Any] = {"data": {"country": "DE", "k": "order-1"}}
    names = sorted(str(number) for number in range(12))
    assert [partitioner(two, n)(event) for n in (3, 8)] == ["0", "5"]
    assert partitioner(two, 12)(event) == names[9]


@pytest.mark.parametrize(
    ("value", "text"), [(1.50, "1.5"), (1e5, "100000.0"), (True, "true"), (None, "null"), (7, "7")]
)
def test_other_values_hash_their_java_text(value: object, text: str) -> None:
    assert hashed(8, value) == hashed(8, text)


def test_a_missing_field_has_no_partition() -> None:
    with pytest.raises(PartitioningError, match="field k doesn't exist"):
        partitioner(DATA, 3)({"data": {}})


def test_user_defined_takes_only_partitions_that_exist() -> None:
    choose = partitioner({"partition_strategy": "user_defined"}, 3)
    assert choose({"metadata": {"partition": "2"}}) == "2"
    refused: tuple[dict[str, Any], ...] = ({"partition": "3"}, {})
    for metadata in refused:
        with pytest.raises(PartitioningError):
            choose({"metadata": metadata})


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b", ("a", "b")),
        ("a'.'b.c", ("a.b", "c")),
        ("'a.b'", ("a.b",)),
        (r"a\.b", ("a.b",)),
        ("a..b", ("a",)),
        ("", ()),
    ],
)
def test_a_path_names_members_and_quotes_keep_a_dot(text: str, path: tuple[str, ...]) -> None:
    assert path_of(text) == path
