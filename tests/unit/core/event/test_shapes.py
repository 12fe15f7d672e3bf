"""Which shapes are learned, and when they are dropped."""

import json
import random

import pytest

from consumer.core.event import item_shape, shapes
from consumer.core.event.plain_gaps import Split
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector
from consumer.core.event.shapes import ENOUGH, LOOK, OTHERWISE, SORTS_REMEMBERED, Shapes
from tests.reference.records import Json


def raw(image: Json) -> bytes:
    return json.dumps(image, separators=(",", ":"), ensure_ascii=False).encode()


def item(*names: str, value: object = "x") -> bytes:
    return raw({name: {"S": value} for name in names})


def meet(known: Shapes, text: bytes, times: int = LOOK * (ENOUGH + 2)) -> None:
    """Let the shapes meet an item as an image does."""
    for _ in range(times):
        if known.read(text) is None:
            known.members(text, text)


def learned(*texts: bytes) -> Shapes:
    known = Shapes()
    for text in texts:
        meet(known, text)
    return known


def test_a_shape_that_comes_again_and_again_is_learned() -> None:
    known = Shapes()
    meet(known, item("a", "z"), LOOK * ENOUGH)
    assert known.read(item("a", "z")) is None
    meet(known, item("a", "z"))
    found = known.read(item("a", "z", value="y"))
    assert found is not None
    shape, scalars = found
    assert shape.members(scalars) == b'"a":"y","z":"y"'
    assert known.read(item("b", "z")) is None
    assert known.read(item("a", "b", "z")) is None


def test_two_shapes_of_a_sort_are_learned_and_no_third() -> None:
    known, texts = Shapes(), [item(first, "z") for first in "abc"]
    for _ in range(400):
        for text in texts[:2]:
            meet(known, text, 1)
    assert [known.read(text) is not None for text in texts] == [True, True, False]
    known, chance = Shapes(), random.Random(1)
    for _ in range(4_000):
        meet(known, chance.choice(texts), 1)
    assert [known.read(text) for text in texts] == [None] * 3


def test_a_shape_that_fails_too_often_is_dropped_and_learned_more_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = []
    learn = item_shape.shape_of

    def counted(split: Split, selector: Selector | None = None) -> item_shape.Shape | None:
        calls.append(split)
        return learn(split, selector)

    monkeypatch.setattr(shapes, "shape_of", counted)
    known, chance = learned(item("a", "z")), random.Random(2)
    assert len(calls) == 1
    for _ in range(2_000):
        meet(known, item(f"{chance.randint(1000, 9999)}", "z"), 1)
    assert known.read(item("a", "z")) is None
    for _ in range(40):  # one after the other leads for a while
        for first in "ab":
            meet(known, item(first, "z"), LOOK * (ENOUGH + 1))
        for number in range(LOOK * 2 * ENOUGH // OTHERWISE):
            meet(known, item(f"{number + 1000}", "z"), 1)
    assert len(calls) < 12
    assert known.read(item("c", "z")) is None


def test_a_shape_that_is_known_by_its_gaps_only_is_dropped_too() -> None:
    """The types of scalars are not in the gaps: those of an item may be others than learned."""
    known = learned(item("a", "z"))
    other = raw({"a": {"N": "1"}, "z": {"S": "x"}})
    meet(known, other, LOOK * (ENOUGH + OTHERWISE))
    assert known.read(item("a", "z")) is None


def test_an_unusable_shape_is_tried_ever_more_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(shapes, "shape_of", lambda *given: calls.append(given))
    known = Shapes()
    meet(known, item("a", "z"), 4_000)
    assert 1 <= len(calls) < 8


def test_sorts_are_limited_and_those_without_a_shape_go_first() -> None:
    known = learned(item("a", "first"))
    for number in range(2 * SORTS_REMEMBERED):
        meet(known, item("a", f"last-{number}"), LOOK)
    assert known.read(item("a", "first")) is not None
    assert len(known._sorts) <= SORTS_REMEMBERED
    for number in range(SORTS_REMEMBERED):
        meet(known, item("a", f"last-{number}"))
    assert known.read(item("a", "first")) is None
    assert len(known._sorts) <= SORTS_REMEMBERED


def test_shapes_of_all_selections_share_one_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = Shapes()
    relatives = [whole.of(Selection(exclude=(read_path(str(n)),))) for n in range(20)]
    text = item(*(f"name-{n}" for n in range(20)))
    meet(whole, text)
    limit = 4 * whole.weight
    assert limit > 0
    monkeypatch.setattr(shapes, "SHAPES_BYTES", limit)
    for each in relatives:
        meet(each, text)
        assert sum(one.weight for one in (whole, *relatives)) <= limit
    assert relatives[0].read(text) is None
    assert relatives[-1].read(text) is not None


def test_each_selection_has_shapes_of_its_own() -> None:
    whole, selection = Shapes(), Selection(exclude=(read_path("b"),))
    part = whole.of(selection)
    assert whole.of(None) is part.of(None) is whole
    assert part.of(selection) is whole.of(selection) is part
    text, shown = item("a", "b"), item("a")
    for _ in range(LOOK * (ENOUGH + 2)):
        part.members(text, shown)
    found = part.read(text)
    assert found is not None
    assert found[0].members(found[1]) == b'"a":"x"'
    assert whole.read(text) is None


def test_an_item_that_is_to_be_walked_counts_for_no_shape() -> None:
    known, twice = Shapes(), b'{"a":{"S":"1"},"a":{"S":"2"}}'
    assert [known.members(twice, twice) for _ in range(2 * LOOK)] == [None] * 2 * LOOK
    assert known.read(twice) is None


def test_what_no_selection_shows_is_hidden_from_all_of_them() -> None:
    known = Shapes()
    assert known.of(None) is known
    hiding = known.of(None, "a")
    assert hiding is known.of(None, "a")
    assert hiding.selector is not None
    assert hiding.selector.of_attribute("a") is False
    assert hiding.selector.of_attribute("aws:rep:x") is True
    assert not hiding.narrow
    narrow = known.of(Selection(exclude=(read_path("b"),)), "a")
    assert narrow.narrow
    assert narrow.selector is not None
    assert [narrow.selector.of_attribute(name) for name in "abc"] == [False, False, True]
