import pytest

from consumer.core.routes.filters.doubt import doubts_of
from consumer.core.routes.language.json_tree import read_json
from consumer.core.routes.language.pattern import read_pattern


def doubts(path: str, conditions: str) -> list[str]:
    pattern = read_pattern(read_json(f'{{"{path}": {conditions}}}'))
    return [
        doubt.reason
        for branch in pattern.branches
        for leaf in branch.items()
        for doubt in doubts_of(*leaf)
        if doubt.place == path
    ]


@pytest.mark.parametrize(
    ("path", "conditions"),
    [
        ("dynamodb.NewImage.n.N", '["7", {"prefix": "1"}, {"anything-but": "7"}]'),
        ("item.a.BOOL", "[true, false]"),
        ("item.a.NULL", "[true]"),
        ("item.a.S", '[{"exists": false}]'),
        ("item.a.S", '[{"exists": true}]'),
        ("dynamodb.SizeBytes", '[{"numeric": [">", 7]}, 7]'),
        ("eventName", '["INSERT", {"prefix": "M"}]'),
        ("eventID", '["x"]'),
    ],
)
def test_what_is_not_doubtful(path: str, conditions: str) -> None:
    assert doubts(path, conditions) == []


@pytest.mark.parametrize(
    ("path", "conditions", "reason"),
    [
        ("item.n.N", "[7]", "equals never matches, because item.n.N holds text (a number is"),
        ("item.n.N", '[{"numeric": [">", 7]}]', "numeric never matches, because item.n.N holds"),
        ("item.n.N", '[{"anything-but": 7}]', "anything-but matches every value, because"),
        (
            "item.a.BOOL",
            '["true"]',
            "equals never matches, because item.a.BOOL holds true or false",
        ),
        ("item.a.BOOL", '[{"anything-but": "x"}]', "anything-but matches every value, because"),
        ("item.a.NULL", "[null]", "equals never matches, because item.a.NULL holds true"),
        ("item.a.NULL", "[false]", "equals never matches, because item.a.NULL holds true"),
        ("dynamodb.SizeBytes", '["7"]', "equals never matches, because dynamodb.SizeBytes holds a"),
        ("item.a", '[{"exists": true}]', "exists never matches, because it is an object"),
        ("item.a", '[{"exists": false}]', "exists always matches, because it is an object"),
        ("dynamodb.NewImage", '[{"exists": true}]', "exists never matches, because it is an obj"),
        ("detail", '["x"]', "equals never matches, because a stream record has no such member"),
        ("eventName", '["DELETE"]', "equals never matches, because eventName is INSERT, MODIFY"),
        ("eventName", "[false]", "equals never matches, because eventName holds text"),
    ],
)
def test_what_never_matches_or_always_does(path: str, conditions: str, reason: str) -> None:
    [found] = doubts(path, conditions)
    assert found.startswith(reason)
