from datetime import date

import pytest

from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.json_tree import DEEPEST, Members, read_json, shown, tree_of
from consumer.core.routes.language.numeral import Numeral


def test_json_keeps_the_digits_and_all_members() -> None:
    tree = read_json('{"a": [1.50, 7, "x", true, null], "a": {}}')
    assert isinstance(tree, Members)
    [(_, values), (name, empty)] = tree
    assert isinstance(values, list)
    assert [each.text for each in values if isinstance(each, Numeral)] == ["1.50", "7"]
    assert values[2:] == ["x", True, None]
    assert (name, empty) == ("a", Members())


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": ["x"]', "Filters: it is not JSON: Expecting ',' delimiter, line 1, column 12"),
        ('{"a": [NaN]}', "NaN is no number"),
        ('{"a": ["x"]} b', "Extra data"),
        ("[01]", "not JSON"),
        ("[" * 100_000, "nested more than"),
    ],
)
def test_what_is_not_json(text: str, reason: str) -> None:
    with pytest.raises(BadPattern) as caught:
        read_json(text, "Filters")
    assert reason in str(caught.value)


def test_values_become_the_same_tree() -> None:
    tree = tree_of({"a": [1.5, 7, True], "b": {"c": "x", 7: None}})
    assert isinstance(tree, Members)
    [(_, values), (_, inner)] = tree
    assert isinstance(values, list)
    assert [each.text for each in values[:2]] == ["1.5", "7"]
    assert values[2] is True
    assert inner == Members([("c", "x"), (7, None)])
    assert tree_of(tree) is tree


def test_values_that_are_nested_too_deeply() -> None:
    value: object = []
    for _ in range(DEEPEST + 1):
        value = [value]
    with pytest.raises(BadPattern, match="nested more than"):
        tree_of(value)


@pytest.mark.parametrize(
    ("node", "text"),
    [
        (Members(), "an object"),
        (["x"], "a list"),
        ([], "an empty list"),
        (None, "null"),
        (True, "true"),
        (False, "false"),
        (Numeral("7"), "a number"),
        ("secret", "text"),
        (date(2026, 11, 1), "a date"),
        (b"x", "a value of Python's type bytes"),
    ],
)
def test_an_error_shows_what_a_node_is_and_no_value(node: object, text: str) -> None:
    assert shown(node) == text
