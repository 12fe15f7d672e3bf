from datetime import date

import pytest

from consumer.core.routes.language.bad_pattern import BadPattern
from consumer.core.routes.language.json_tree import DEEPEST, read_json, tree_of
from consumer.core.routes.language.pattern import MOST_BRANCHES, read_pattern


def equals(text: str) -> list[dict[str, list[str | None]]]:
    """The branches of a pattern, each path with the texts it wants."""
    pattern = read_pattern(read_json(text))
    return [
        {path: [each.equals for each in leaf] for path, leaf in branch.items()}
        for branch in pattern.branches
    ]


@pytest.mark.parametrize(
    ("pattern", "branches"),
    [
        ('{"a": {"b": ["x", "y"]}, "c": ["z"]}', [{"a.b": ["x", "y"], "c": ["z"]}]),
        ('{"a.b": ["x"], "a": {"b": ["y"], "c": ["z"]}}', [{"a.b": ["y"], "a.c": ["z"]}]),
        ('{"a": ["x"], "a": ["y"]}', [{"a": ["y"]}]),
        ('{"a": {"b": ["x"]}, "a": {"c": ["y"]}}', [{"a.b": ["x"], "a.c": ["y"]}]),
        ('{"$or": [{"a": ["x"]}, {"b": ["y"]}]}', [{"a": ["x"]}, {"b": ["y"]}]),
        (
            '{"a": ["x"], "d": {"$or": [{"a": ["y"]}, {"b": {"c": ["z"]}}]}}',
            [{"a": ["x"], "d.a": ["y"]}, {"a": ["x"], "d.b.c": ["z"]}],
        ),
        (
            '{"a": ["x"], "$or": [{"a": ["y"]}, {"$or": [{"b": [""]}, {"b": ["2"]}]}], "c": ["z"]}',
            [
                {"a": ["y"], "c": ["z"]},
                {"a": ["x"], "b": [""], "c": ["z"]},
                {"a": ["x"], "b": ["2"], "c": ["z"]},
            ],
        ),
        ('{"prefix": ["x"]}', [{"prefix": ["x"]}]),
    ],
)
def test_a_pattern_is_flattened(pattern: str, branches: list[dict[str, list[str]]]) -> None:
    assert equals(pattern) == branches


MANY_ORS = ", ".join(f'"d{n}": {{"$or": [{{"a": ["x"]}}, {{"b": ["x"]}}]}}' for n in range(40))


@pytest.mark.parametrize(
    ("pattern", "place", "reason"),
    [
        ("[]", "here", "a pattern is an object, not an empty list"),
        ("{}", "here", "an empty object"),
        ('{"a": {}}', "here a", "an empty object"),
        ('{"a": []}', "here a", "an empty list"),
        ('{"a": "x"}', "here a", "found text, wanted a list of values to match"),
        ('{"a": {"b": ["x", {"prefix": 7}]}}', "here a.b", "prefix needs text"),
        ('{"a": {"$or": {}}}', "here a.$or", "$or takes a list of at least two objects"),
        ('{"$or": [{"a": ["x"]}]}', "here $or", "$or takes a list of at least two objects"),
        ('{"$or": [{"a": ["x"]}, "x"]}', "here $or", "$or takes objects, not text"),
        ('{"$or": [{"a": ["x"]}, {}]}', "here", "an empty object"),
        ('{"$or": [{"a": {"prefix": ["x"]}}, {}]}', "here a", "'prefix' is a reserved word"),
        ("{" + MANY_ORS + "}", "here d9.$or", f"$or makes more than {MOST_BRANCHES} combinations"),
        (f'{{"a{".a" * DEEPEST}": ["x"]}}', f"here a{'.a' * DEEPEST}", "it has more than"),
        ('{"a": ' * (DEEPEST + 1) + '["x"]' + "}" * (DEEPEST + 1), "here", "nested more than"),
    ],
)
def test_what_is_refused_says_where_and_why(pattern: str, place: str, reason: str) -> None:
    with pytest.raises(BadPattern) as caught:
        read_pattern(read_json(pattern), "here")
    assert caught.value.place == place
    assert caught.value.reason.startswith(reason) or reason in caught.value.reason


@pytest.mark.parametrize(
    ("value", "place", "reason"),
    [
        ({True: ["x"]}, "", "a name is read as true, not as text: quote it"),
        ({"a": {False: ["x"]}}, "a", "a name is read as false, not as text: quote it"),
        ({"country": {"S": [False]}}, "country.S", "a value is read as false"),
        ({"a": {"N": [7]}}, "a.N", "a value is read as a number, not as text: quote it"),
        ({"a": {"SS": ["x", None]}}, "a.SS", "a value is read as null"),
        ({"a": {"B": [date(2026, 11, 1)]}}, "a.B", "a value is read as a date"),
        ({"a": {"NS": [{"anything-but": 750}]}}, "a.NS", "a value is read as a number"),
        ({"a": {"BS": [{"anything-but": ["x", True]}]}}, "a.BS", "a value is read as true"),
        ({"a": {"S": [["x"]]}}, "a.S", "a value to match must be text"),
        ({"eventID": [date(2026, 11, 1)]}, "eventID", "a value is read as a date"),
    ],
)
def test_what_yaml_read_from_an_unquoted_value_is_refused(
    value: object, place: str, reason: str
) -> None:
    with pytest.raises(BadPattern) as caught:
        read_pattern(tree_of(value), from_yaml=True)
    assert caught.value.place == place
    assert caught.value.reason.startswith(reason)


def test_what_yaml_may_say_of_other_types() -> None:
    value = {"a": {"BOOL": [True], "N": [{"exists": True}, {"prefix": "7"}]}, "size": [7]}
    read_pattern(tree_of(value), from_yaml=True)


def test_json_may_compare_text_with_a_number() -> None:
    read_pattern(read_json('{"a": {"N": [7, {"anything-but": 7}]}}'))
