"""Which shapes are learned, and when they are dropped."""

import json
import random

import pytest
from msgspec import Raw

from consumer.core.event.items import item_shape, shapes
from consumer.core.event.items.plain_gaps import Split
from consumer.core.event.items.shape_tree import SHAPES_TOGETHER
from consumer.core.event.items.shapes import ENOUGH, LONGEST_REST, LOOK, WINDOW, WORTH, Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.event.selection.selector import Selector
from tests.reference.records import Json

ROUND = LOOK * WINDOW
"""Items of unknown shapes after which something is learned."""


def raw(image: Json) -> bytes:
    return json.dumps(image, separators=(",", ":"), ensure_ascii=False).encode()


def item(*names: str, value: object = "x") -> bytes:
    return raw({name: {"S": value} for name in names})


def meet(known: Shapes, text: bytes, times: int = ROUND) -> None:
    """Let the shapes meet an item as an image does."""
    for _ in range(times):
        if known.read(text) is None:
            known.members(text, text)


def names_nobody_knows(known: Shapes, count: int) -> None:
    """Let the shapes meet items each of which has another shape."""
    for number in range(count):
        meet(known, item(f"unique-{number}", "z"), 1)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[Split]:
    """The items of which a shape is made."""
    calls: list[Split] = []
    learn = item_shape.shape_of

    def counting(split: Split, selector: Selector | None = None) -> item_shape.Shape | None:
        calls.append(split)
        return learn(split, selector)

    monkeypatch.setattr(shapes, "shape_of", counting)
    return calls


def test_a_shape_that_comes_again_and_again_is_learned() -> None:
    known = Shapes()
    assert known.weight == 0
    meet(known, item("a", "z"), ROUND - 1)
    assert known.read(item("a", "z")) is None
    meet(known, item("a", "z"), 1)
    found = known.read(item("a", "z", value="y"))
    assert found is not None
    shape, scalars, before = found
    assert shape.members(scalars) == b'"a":"y","z":"y"'
    assert before is None
    assert known.weight > 0
    assert known.read(item("b", "z")) is None
    assert known.read(item("a", "b", "z")) is None


def test_the_item_before_its_change_is_read_if_it_had_the_same_shape() -> None:
    known, text = Shapes(), item("a", "z", value="y")
    meet(known, text)
    read = known.read(text, Raw(item("a", "z")))
    assert read is not None
    assert read[1:] == ((b'"y"', b'"y"'), (b'"x"', b'"x"'))
    assert known.read(text, Raw(item("a"))) == (read[0], read[1], None)
    assert known.read(item("a"), Raw(text)) is None


def test_what_comes_seldom_is_not_learned() -> None:
    known, often = Shapes(), item("a", "z")
    meet(known, often, LOOK * (ENOUGH - 1))
    names_nobody_knows(known, ROUND - LOOK * (ENOUGH - 1))
    assert known.read(often) is None


def test_all_frequent_shapes_are_learned_one_window_after_the_other() -> None:
    known, chance = Shapes(), random.Random(1)
    texts = [item(f"{number}", "z") for number in range(16)]
    for _ in range(80 * ROUND):
        meet(known, chance.choice(texts), 1)
    assert all(known.read(text) is not None for text in texts)


def test_no_more_are_learned_than_go_together() -> None:
    known = Shapes()
    texts = [item(f"{number}", "z") for number in range(SHAPES_TOGETHER + 3)]
    for text in texts:
        for each in [*texts] * ROUND:  # those that are known are worth it
            known.read(each)
        meet(known, text)
    found = [known.read(text) is not None for text in texts]
    assert found == [True] * SHAPES_TOGETHER + [False] * 3


def test_shapes_that_few_items_have_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    known, often = Shapes(), item("a", "z")
    meet(known, often)
    for _ in range(ROUND // WORTH):
        known.read(often)
    names_nobody_knows(known, ROUND)
    assert known.read(often) is not None
    names_nobody_knows(known, 3 * ROUND)  # one is a rest
    assert known.read(often) is None
    calls = counted(monkeypatch)
    meet(known, often, 8 * ROUND)
    assert known.read(often) is not None
    assert len(calls) == 1


def test_a_change_counts_for_its_shape_as_an_item_does() -> None:
    known, often = Shapes(), item("a", "z")
    meet(known, often)
    for _ in range(ROUND // WORTH):
        known.read(often, Raw(often))
    names_nobody_knows(known, ROUND)
    assert known.read(often) is not None


def test_after_a_window_in_vain_there_is_an_ever_longer_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls: list[object] = []
    monkeypatch.setattr(shapes, "shape_of", lambda *given: calls.append(given))
    known = Shapes()
    meet(known, item("a", "z"), 31 * ROUND + 5 * ROUND)
    assert len(calls) == 5  # rests of 1, 2, 4, 8 and 16 windows
    known._rest = LONGEST_REST
    known.forget()
    assert known._skips == LONGEST_REST


def test_a_shape_that_is_known_is_not_learned_again() -> None:
    """The types of scalars are not in the gaps: those of an item may be others than learned."""
    known, text = Shapes(), item("a", "z")
    meet(known, text)
    other = raw({"a": {"N": "1"}, "z": {"S": "x"}})
    for _ in range(ROUND):
        known.read(text)
    meet(known, other)
    assert known.read(text) is not None
    assert known.read(other) is not None
    before = known.weight
    for _ in range(ROUND):
        known.read(text)
        known.members(text, text)  # as one that a letter of the alphabet keeps from being known
    assert known.weight == before


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
    meet(relatives[-1], text, 64 * ROUND)
    assert relatives[-1].read(text) is not None


def test_each_selection_has_shapes_of_its_own() -> None:
    whole, selection = Shapes(), Selection(exclude=(read_path("b"),))
    part = whole.of(selection)
    assert whole.of(None) is part.of(None) is whole
    assert part.of(selection) is whole.of(selection) is part
    text, shown = item("a", "b"), item("a")
    for _ in range(ROUND):
        part.members(text, shown)
    found = part.read(text)
    assert found is not None
    assert found[0].members(found[1]) == b'"a":"x"'
    assert whole.read(text) is None


def test_an_item_that_is_to_be_walked_counts_for_no_shape() -> None:
    known, twice = Shapes(), b'{"a":{"S":"1"},"a":{"S":"2"}}'
    assert [known.members(twice, twice) for _ in range(ROUND)] == [None] * ROUND
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
