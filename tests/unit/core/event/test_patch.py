import json

import jsonpatch
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Raw

from consumer.core.event.attribute import Members, decode_members, decode_value, plain
from consumer.core.event.malformed import MalformedItem
from consumer.core.event.patch import diff, replace
from tests.reference import patch as unlimited
from tests.reference import transcode as reference
from tests.reference.memory import peak_of
from tests.reference.records import Json, changes, edited, names, values

ENOUGH = 10**9


def members(image: object) -> Members:
    text = image if isinstance(image, bytes) else json.dumps(image).encode()
    return decode_members(Raw(text))


def patch_of(old: object, new: object) -> list[Json]:
    operations = diff(members(old), members(new), ENOUGH)
    assert operations is not None
    patch: list[Json] = reference.parse_strictly(b"[" + b",".join(operations) + b"]")
    return patch


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        (b'{"S":"x"}', b'{"S":"y"}', b'"y"'),
        (b'{"N":"1"}', b'{"N":"1.0"}', b"1.0"),
        (b'{"S":"1"}', b'{"N":"1"}', b"1"),
        (b'{"N":"1"}', b'{"N":"99999999999999999999"}', b'"99999999999999999999"'),
        (b'{"S":"x"}', rb'{"S":"\u0078"}', None),
        (rb'{"S":"\u0078"}', b'{"S":"x"}', None),
        (b'{"B":"eA=="}', b'{"S":"eA=="}', None),
    ],
)
def test_scalars(old: bytes, new: bytes, value: bytes | None) -> None:
    before, after = members(b'{"a":%b}' % old), members(b'{"a":%b}' % new)
    expected = [] if value is None else [b'{"op":"replace","path":"/a","value":%b}' % value]
    assert diff(before, after, ENOUGH) == expected


@given(changes())
def test_applied_to_the_old_item_it_gives_the_new_one(change: tuple[Json, Json]) -> None:
    old, new = change
    patch = patch_of(old, new)
    assert jsonpatch.JsonPatch(patch).apply(reference.item_of(old)) == reference.item_of(new)
    assert {operation["op"] for operation in patch} <= {"add", "replace", "remove"}


@given(changes())
def test_an_item_that_did_not_change_has_an_empty_patch(change: tuple[Json, Json]) -> None:
    assert patch_of(change[0], change[0]) == []


@given(changes())
def test_a_spelling_is_no_change(change: tuple[Json, Json]) -> None:
    spaced = json.dumps(change[0], ensure_ascii=False, indent=1).encode()
    escaped = json.dumps(change[0], separators=(",", ":")).replace("/", r"\/").encode()
    assert patch_of(spaced, escaped) == []


S, N, M, L = "S", "N", "M", "L"


@pytest.mark.parametrize(
    ("old", "new", "patch"),
    [
        ({S: "a"}, {S: "b"}, [("replace", "/x", "b")]),
        ({N: "1"}, {N: "1.0"}, [("replace", "/x", reference.Number("1.0"))]),
        ({N: "1"}, {"BOOL": True}, [("replace", "/x", True)]),
        ({N: "1"}, {S: "1"}, [("replace", "/x", "1")]),
        ({S: "a"}, {"B": "a"}, []),  # of one text in the event
        ({"SS": ["a", "b"]}, {"SS": ["b", "a"]}, []),
        ({"SS": ["a"]}, {"SS": ["b", "a"]}, [("replace", "/x", ["a", "b"])]),
        ({M: {"a": {S: "1"}}}, {M: {"a": {S: "2"}}}, [("replace", "/x/a", "2")]),
        ({M: {"a/b~": {S: "1"}}}, {M: {"a/b~": {S: "2"}}}, [("replace", "/x/a~1b~0", "2")]),
        ({M: {"": {S: "1"}}}, {M: {"": {S: "2"}}}, [("replace", "/x/", "2")]),
        ({M: {"a": {S: "1"}}}, {M: {"b": {S: "1"}}}, [("add", "/x/b", "1"), ("remove", "/x/a")]),
        ({M: {"a": {S: "1"}}}, {L: [{S: "1"}]}, [("replace", "/x", ["1"])]),
        ({L: [{S: "a"}]}, {"SS": ["a"]}, []),
        ({L: []}, {L: [{S: "a"}]}, [("add", "/x/0", "a")]),
        ({L: [{S: "a"}]}, {L: []}, [("remove", "/x/0")]),
        (
            {L: [{S: "long enough a"}, {S: "long enough c"}]},
            {L: [{S: "long enough a"}, {S: "b"}, {S: "long enough c"}]},
            [("add", "/x/1", "b")],
        ),
        (
            {L: [{S: c * 40} for c in "abcd"]},
            {L: [{S: c * 40} for c in "ad"]},
            [("remove", "/x/2"), ("remove", "/x/1")],
        ),
        (
            {L: [{M: {"q": {N: "1"}, "r": {N: "5"}}}, {S: "z"}]},
            {L: [{M: {"q": {N: "2"}, "r": {N: "5"}}}, {S: "z"}]},
            [("replace", "/x/0/q", reference.Number("2"))],
        ),
        ({L: [{S: "a"}, {S: "b"}]}, {L: [{S: "c"}, {S: "d"}]}, [("replace", "/x", ["c", "d"])]),
        (
            {L: [{S: "a"}, {S: "m"}, {S: "b"}, {S: "n" * 200}]},
            {L: [{S: "c"}, {S: "m"}, {S: "d"}, {S: "n" * 200}]},
            [("replace", "/x/0", "c"), ("replace", "/x/2", "d")],
        ),
    ],
)
def test_it_says_what_changed(old: Json, new: Json, patch: list[tuple[object, ...]]) -> None:
    found = patch_of({"k": {S: "same"}, "x": old}, {"k": {S: "same"}, "x": new})
    assert [tuple(operation.values()) for operation in found] == patch


def test_added_and_replaced_stand_in_the_new_order_and_removed_ones_last() -> None:
    old = {name: {S: "1"} for name in "abcd"}
    new = {"d": {S: "2"}, "x": {S: "1"}, "b": {S: "2"}}
    assert [(operation["op"], operation["path"]) for operation in patch_of(old, new)] == [
        ("replace", "/d"),
        ("add", "/x"),
        ("replace", "/b"),
        ("remove", "/a"),
        ("remove", "/c"),
    ]


@given(changes())
def test_several_operations_in_a_list_never_take_more_than_replacing_it(
    change: tuple[Json, Json],
) -> None:
    old, new = ({"x": {L: [*image.values()]}} for image in change)
    operations = diff(members(old), members(new), ENOUGH)
    assert operations is not None
    whole = replace(b"/x", plain(decode_value(json.dumps(new["x"]).encode())))
    assert len(operations) < 2 or sum(map(len, operations)) <= len(whole)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"x": {N: "1"}}, {"x": {N: "01"}}),
        ({}, {"x": {N: "01"}}),
        ({"x": {M: {}}}, {"x": {M: []}}),
        ({"x": {L: []}}, {"x": {L: 1}}),
        ({"x": 1}, {"x": 2}),
        ({"x": {M: {}}}, {"x": {M: {}, L: []}}),
        ({"x": {L: []}}, {"x": {M: {}, L: []}}),
    ],
)
def test_a_malformed_attribute_is_named(old: Json, new: Json) -> None:
    with pytest.raises(MalformedItem, match="attribute 'x'"):
        diff(members(old), members(new), ENOUGH)


@st.composite
def repetitive(draw: st.DrawFn) -> tuple[Json, Json]:
    """Two items with long names above lists and maps, some values of which are malformed."""
    inner = st.dictionaries(names, st.one_of(values, st.just({"N": "01"})), max_size=4)
    before = draw(
        st.recursive(
            inner.map(lambda value: {"M": value}),
            lambda children: st.one_of(
                st.lists(children, max_size=4).map(lambda value: {"L": value}),
                st.dictionaries(names, children, max_size=3).map(lambda value: {"M": value}),
            ),
            max_leaves=6,
        )
    )
    name = draw(st.sampled_from(("x", "long/" * 20)))
    return {name: before}, {name: draw(edited(before))}


@given(st.one_of(changes(), repetitive()), st.one_of(st.integers(0, 2_000), st.just(ENOUGH)))
def test_a_limit_changes_nothing_but_that_a_longer_patch_is_not_made(
    change: tuple[Json, Json], limit: int
) -> None:
    old, new = members(change[0]), members(change[1])
    try:
        expected = unlimited.diff(old, new)
    except MalformedItem:
        with pytest.raises(MalformedItem):
            diff(old, new, limit)
        return
    found = diff(old, new, limit)
    if len(expected) > 1 and sum(map(len, expected)) > limit:
        assert found is None
    else:
        assert found == expected


def test_a_value_behind_the_limit_is_still_read() -> None:
    old = {"a": {S: "1"}, "b": {S: "1"}, "c": {N: "01"}, "d": {L: [{S: "1"}, {N: "01"}]}}
    new = {"a": {S: "2"}, "b": {S: "2"}, "c": {N: "1"}, "d": {L: [{S: "2"}, {N: "1"}]}}
    with pytest.raises(MalformedItem, match="attribute 'c'"):
        diff(members(old), members(new), 50)
    del old["c"], new["c"]
    with pytest.raises(MalformedItem, match="attribute 'd'"):
        diff(members(old), members(new), 50)
    old["d"], new["d"] = {L: [{S: "1"}]}, {L: [{S: "2"}, {S: "3"}]}
    assert diff(members(old), members(new), 50) is None


@pytest.mark.parametrize("kind", ["M", "L"])
def test_a_name_above_many_changes_is_not_repeated_beyond_the_limit(kind: str) -> None:
    def item(digit: str) -> Members:
        leaves = [{"N": digit + str(index)} for index in range(3_000)]
        value = {M: {str(index): leaf for index, leaf in enumerate(leaves)}, L: leaves}[kind]
        return members({"n" * 10_000: {kind: value}})

    old, new, limit = item("1"), item("2"), 200_000
    expected = unlimited.diff(old, new) if kind == "L" else None  # a list is replaced
    peak = peak_of(lambda: diff(old, new, limit))
    assert peak < 3_000_000
    assert diff(old, new, limit) == expected


def test_no_path_is_made_once_a_patch_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each repeats the names above it: 25,000 leaves under a name of 60 KB are 1.5 GB of paths."""
    made: list[str] = []

    def step(name: str) -> bytes:
        made.append(name)
        return b"/" + name.encode()

    monkeypatch.setattr("consumer.core.event.patch.pointer_step", step)
    old, new = ({"n" * 500: {M: {f"l{leaf}": {N: n} for leaf in range(1000)}}} for n in "12")
    assert diff(members(old), members(new), 5_000) is None
    assert len(made) < 15
