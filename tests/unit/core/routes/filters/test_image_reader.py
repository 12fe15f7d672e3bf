import json
from typing import Any

import pytest
from msgspec import UNSET, Raw

from consumer.core.event.malformed import MalformedItem
from consumer.core.routes.filters.image_reader import ImageReader, leaves
from consumer.core.routes.filters.place import Place, place_of

ITEM = {
    "status": {"S": "PAID"},
    "flag": {"BOOL": False},
    "tags": {"SS": ["x", "y"]},
    "address": {"M": {"city": {"S": "Berlin"}, "geo": {"M": {"lat": {"N": "52.5"}}}}},
    "lines": {"L": [{"M": {"sku": {"S": "A"}, "of": {"L": [{"S": "a"}, {"S": "b"}]}}}, {"N": "1"}]},
    "mixed": {"L": [{"S": "x"}, {"L": [{"S": "deep"}, {"L": []}]}, {"SS": ["s", "t"]}]},
}


def found(path: str, *more: str, image: object = ITEM) -> list[tuple[object, tuple[int, ...]]]:
    places = [place_of(f"item.{each}") for each in (path, *more)]
    known = [place for place in places if isinstance(place, Place)]
    reader = ImageReader("NewImage", known)
    read = reader.read(None if image is None else Raw(json.dumps(image).encode()))
    return leaves(read, reader.getters(known[0]))


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("status.S", [("PAID", ())]),
        ("status.N", []),
        ("nope.S", []),
        ("flag.BOOL", [(False, ())]),
        ("tags.SS", [("x", ()), ("y", ())]),
        ("address.M.city.S", [("Berlin", ())]),
        ("address.M.geo.M.lat.N", [("52.5", ())]),
        ("address.M.nope.M.lat.N", []),
        ("lines.L.M.sku.S", [("A", (0,))]),
        ("lines.L.M.of.L.S", [("a", (0, 0)), ("b", (0, 1))]),
        ("lines.L.N", [("1", (1,))]),
        ("mixed.L.S", [("x", (0,))]),
        ("mixed.L.L.S", [("deep", (1, 0))]),
        ("mixed.L.SS", [("s", (2,)), ("t", (2,))]),
        ("status.L.S", []),
    ],
)
def test_leaves_are_found(path: str, expected: list[object]) -> None:
    assert found(path) == expected
    assert found(path, "status.S", "lines.L.M.sku.S", "address.M.city.S") == expected
    assert found(path, image=None) == []


def test_a_getter_leads_to_what_is_absent() -> None:
    place = place_of("item.a.M.b.S")
    assert place is not None
    reader = ImageReader("NewImage", [place])
    [get] = reader.getters(place)
    assert get(reader.absent) is UNSET


@pytest.mark.parametrize("name", ['q"', "back\\slash", "\n", "\x00", "\x7f", "ü", "😀"])
def test_any_name_of_an_attribute_can_be_read(name: str) -> None:
    item: dict[str, Any] = {
        name: {"S": "x"},
        "other": {"M": {name: {"M": {"a": {"N": "7"}}}, "b": {"L": [{"M": {name: {"S": "y"}}}]}}},
    }
    paths = [
        f"{name}.S",
        f"other.M.{name}.M.a.N",
        f"other.M.b.L.M.{name}.S",
        "other.M.b.S",
        f"{name}.M.{name}.S",
    ]
    expected = [[("x", ())], [("7", ())], [("y", (0,))], [], []]
    for path, leaf in zip(paths, expected, strict=True):
        assert found(path, *paths, image=item) == leaf
        assert found(path, *paths, image={}) == []
        assert found(path, *paths, image=None) == []


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        ('{"status":{"S":7}}', "NewImage: Expected `str`, got `int`"),
        ('{"status":"x"}', "NewImage: Expected `object`"),
        ("[]", "NewImage: Expected `object`"),
        ('{"other":' + "[" * 100_000, "NewImage is nested too deeply"),
    ],
)
def test_an_image_that_cannot_be_read(image: str, reason: str) -> None:
    place = place_of("item.status.S")
    assert place is not None
    with pytest.raises(MalformedItem, match=reason):
        ImageReader("NewImage", [place]).read(Raw(image.encode()))
