"""What a record holds, and which changes make one: the same of our model and of emulators."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.conformance.streams.stream_bench import (
    SERVICES,
    Bench,
    Can,
    bench,
    changes,
    item,
    sequence,
)
from tests.conformance.streams.stream_services import Refused

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conformance.streams.stream_services import Record

KEY = {"id": {"S": "k"}}
VIEWS = ["KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES"]
MINUTE = 60.0  # DynamoDB Local floors times to it


@pytest.fixture(params=SERVICES)
def on(request: pytest.FixtureRequest) -> Iterator[Bench]:
    yield from bench(request)


def life(on: Bench, view: str) -> list[Record]:
    """An item is inserted, modified, removed."""
    arn = on.create(view)
    on.put("k", 1)
    on.put("k", 2)
    on.service.delete(on.table, KEY)
    return on.read(on.horizon(arn))[0]


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_type_says_which_images_a_record_carries(on: Bench, view: str) -> None:
    records = life(on, view)
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "REMOVE"]
    has_new, has_old = "NEW" in view, "OLD" in view
    images = [(None, item("k", 1)), (item("k", 1), item("k", 2)), (item("k", 2), None)]
    for record, (old, new) in zip(records, images, strict=True):
        change = record["dynamodb"]
        assert change["Keys"] == KEY
        assert change["StreamViewType"] == view
        assert change.get("OldImage") == (old if has_old else None)
        assert change.get("NewImage") == (new if has_new else None)


def test_a_record_says_what_when_and_where(on: Bench) -> None:
    asked = time.time()
    records = life(on, "NEW_AND_OLD_IMAGES")
    assert len({record["eventID"] for record in records}) == 3
    for record in records:
        assert re.fullmatch(r"[0-9a-f-]{32,36}", record["eventID"])
        assert (record["eventSource"], record["eventVersion"]) == ("aws:dynamodb", "1.1")
        assert record["awsRegion"]
        assert "userIdentity" not in record
        at = record["dynamodb"]["ApproximateCreationDateTime"]
        assert at == int(at)
        assert asked - MINUTE - 1 <= at <= time.time()


def test_sequence_numbers_have_21_to_40_digits_and_ascend_as_numbers(on: Bench) -> None:
    arn = on.create()
    for number in range(30):
        on.put(f"k{number % 4}", number)
    found = [sequence(record) for record in on.read(on.horizon(arn))[0]]
    assert all(re.fullmatch(r"[0-9]{21,40}", number) for number in found)
    as_numbers = [int(number) for number in found]
    assert sorted(set(as_numbers)) == as_numbers
    assert len(as_numbers) == 30


def test_changes_of_an_item_are_all_there_and_in_order(on: Bench) -> None:
    arn = on.create(sort=True)
    for number in range(40):
        key = {"id": {"S": f"k{number % 3}"}, "at": {"N": str(number % 2)}}
        on.service.put(on.table, {**key, "n": {"N": str(number)}})
    records, _ = on.read(on.horizon(arn), 7)
    assert len(records) == 40
    by_key: dict[str, list[int]] = {}
    for record in records:
        image = record["dynamodb"]["NewImage"]
        assert record["dynamodb"]["Keys"] == {"id": image["id"], "at": image["at"]}
        by_key.setdefault(str((image["id"], image["at"])), []).append(int(image["n"]["N"]))
    assert len(by_key) == 6
    assert all(numbers == [*range(numbers[0], 40, 6)] for numbers in by_key.values())


def test_a_write_that_changes_nothing_makes_no_record(on: Bench) -> None:
    arn = on.create()
    whole: Any = item("k", 1) | {"m": {"M": {"l": {"L": [{"N": "2"}, {"BOOL": True}]}}}}
    for _ in range(3):
        on.service.put(on.table, whole)
    on.service.put(on.table, whole | {"n": {"N": "1.0"}})
    on.service.delete(on.table, {"id": {"S": "none"}})
    on.service.delete(on.table, KEY)
    on.service.delete(on.table, KEY)
    names = [name for name, _, _ in changes(on.read(on.horizon(arn))[0])]
    assert names == ["INSERT", "REMOVE"]


def test_another_order_within_a_set_changes_nothing(on: Bench) -> None:
    on.needs(Can.SETS)
    arn = on.create()
    for texts in (["a", "b"], ["b", "a"]):
        on.service.put(on.table, item("k", 1) | {"s": {"SS": texts}, "t": {"NS": ["1", "2"]}})
    on.service.put(on.table, item("k", 1) | {"s": {"SS": ["a", "b"]}, "t": {"NS": ["2.0", "1"]}})
    assert [name for name, _, _ in changes(on.read(on.horizon(arn))[0])] == ["INSERT"]


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("1.50", "1.5"),
        ("007", "7"),
        ("-0", "0"),
        ("+1", "1"),
        ("1E3", "1000"),
        ("0.00012", "0.00012"),
        (".5", "0.5"),
        ("1e100", "1" + "0" * 100),
        ("12345678901234567890123456789012345678", "12345678901234567890123456789012345678"),
    ],
)
def test_a_number_has_one_spelling(on: Bench, written: str, stored: str) -> None:
    arn = on.create()
    nested = {"l": {"L": [{"M": {"n": {"N": written}}}]}}
    on.service.put(on.table, {"id": {"S": "k"}, "n": {"N": written}, **nested})
    (record,) = on.read(on.horizon(arn))[0]
    image = record["dynamodb"]["NewImage"]
    assert image["n"] == {"N": stored}
    on.needs(Can.NESTED_NUMBERS)
    assert image["l"] == {"L": [{"M": {"n": {"N": stored}}}]}


def test_a_key_has_one_spelling_too(on: Bench) -> None:
    on.needs(Can.KEY_NUMBERS)
    arn = on.create(sort=True)
    for number, at in enumerate(["1.0", "1", "01"]):
        on.service.put(on.table, item("k", number) | {"at": {"N": at}})
    on.service.delete(on.table, KEY | {"at": {"N": "1.00"}})
    records, _ = on.read(on.horizon(arn))
    assert [record["eventName"] for record in records] == ["INSERT", "MODIFY", "MODIFY", "REMOVE"]
    assert [record["dynamodb"]["Keys"]["at"] for record in records] == [{"N": "1"}] * 4


def test_a_number_has_38_digits_at_most(on: Bench) -> None:
    on.create()
    for wrong in ("1" * 39, "x", "", "NaN", "1E126", "1E-131"):
        with pytest.raises(Refused) as raised:
            on.service.put(on.table, {"id": {"S": "k"}, "n": {"N": wrong}})
        assert raised.value.code == "ValidationException"


def test_sizes_are_those_of_keys_and_images(on: Bench) -> None:
    on.needs(Can.ITEM_SIZES)
    sizes = [record["dynamodb"]["SizeBytes"] for record in life(on, "NEW_AND_OLD_IMAGES")]
    keys, image = 3, 3 + 3
    assert sizes == [keys + image, keys + 2 * image, keys + image]


def test_a_size_is_that_of_what_is_stored(on: Bench) -> None:
    on.needs(Can.ITEM_SIZES)
    arn = on.create("NEW_IMAGE")
    on.service.put(on.table, KEY | {"n": {"N": "1.500"}})
    (record,) = on.read(on.horizon(arn))[0]
    assert record["dynamodb"]["SizeBytes"] == 3 + 3 + 1 + 3


def test_every_type_of_attribute_comes_back_as_it_was_written(on: Bench) -> None:
    arn = on.create()
    whole: Any = item("k", 1) | {
        "text": {"S": 'ü "quoted" \\ \n \U0001f600'},
        "empty": {"S": ""},
        "yes": {"BOOL": True},
        "nothing": {"NULL": True},
        "list": {"L": [{"S": "a"}, {"L": []}, {"M": {}}]},
        "map": {"M": {"a": {"N": "-1.5"}, "b": {"M": {"c": {"NULL": True}}}}},
        "texts": {"SS": ["b", "a"]},
        "numbers": {"NS": ["10", "9"]},
    }
    on.service.put(on.table, whole)
    (record,) = on.read(on.horizon(arn))[0]
    found = record["dynamodb"]["NewImage"]
    for name in ("texts", "numbers"):
        for image in (found, whole):
            ((kind, members),) = image[name].items()
            image[name] = {kind: sorted(members)}
    assert found == whole


def test_an_item_without_its_key_is_invalid(on: Bench) -> None:
    on.create()
    for wrong in ({"n": {"N": "1"}}, {"id": {"N": "1"}}, {"id": {"S": ""}}):
        with pytest.raises(Refused) as raised:
            on.service.put(on.table, wrong)
        assert raised.value.code == "ValidationException"
