import pytest

from consumer.core.routes.language.expression import Refused, read_expression
from consumer.core.routes.language.json_tree import Members, read_json
from consumer.core.routes.language.scalar import Kind

TEXT, BOOLEAN, TRUE, NUMBER = Kind.TEXT, Kind.BOOLEAN, Kind.TRUE, Kind.NUMBER


@pytest.mark.parametrize(
    ("expression", "accepted", "rejected"),
    [
        ('"x"', ["x"], ["X", "", 7, True, None]),
        ('"10.0.0.33"', ["10.0.0.33", "010.0.0.33"], ["10.0.0.34", "x", 7]),
        ('{"exactly": "10.0.0.33"}', ["10.0.0.33"], ["010.0.0.33"]),
        ("7", [7, 7.0], ["7", True, 8]),
        ("1", [1], [True]),
        ("1.2345678901234567890", [], [1.2345678901234567, "1.2345678901234567890"]),
        ("true", [True], [False, 1, "true"]),
        ("false", [False], [True, 0]),
        ("null", [None], [False, "null"]),
        ('{"prefix": "PA"}', ["PA", "PAID"], ["pa", "XPA", 7]),
        ('{"prefix": ""}', ["", "x"], [7, None]),
        ('{"prefix": "PA\\""}', ["PA", 'PA"x'], ["PAID"]),
        ('{"prefix": {"equals-ignore-case": "pa"}}', ["PA", "Paid"], ["XPA", 7]),
        ('{"prefix": {"equals-ignore-case": "pa\\""}}', ["PA", 'pa"x'], ["PAID"]),
        ('{"suffix": "ID"}', ["ID", "PAID"], ["id", "IDX", None]),
        ('{"suffix": "\\"ID"}', ["ID", 'x"ID'], ["PAID"]),
        ('{"suffix": {"equals-ignore-case": "id"}}', ["ID", "Paid"], ["IDX"]),
        ('{"suffix": {"equals-ignore-case": "\\"id"}}', ["ID", 'x"id'], ["PAID"]),
        ('{"equals-ignore-case": "paid"}', ["PAID"], ["PAI", 7]),
        ('{"wildcard": "a*c"}', ["abc", "ac"], ["ab", 7]),
        ('{"cidr": "10.0.0.0/24"}', ["10.0.0.1"], ["10.0.1.0", "x", 7]),
        ('{"exists": true}', ["x", 7, None], []),
        ('{"numeric": ["=", 7]}', [7, 7.0], [8, "7", True]),
        ('{"numeric": ["=", 1]}', [1], [True]),
        ('{"numeric": [">", 7]}', [8], [7, 6]),
        ('{"numeric": [">=", 7]}', [8, 7], [6]),
        ('{"numeric": ["<", 7]}', [6], [7, 8]),
        ('{"numeric": ["<=", 7]}', [6, 7], [8]),
        ('{"numeric": [">", 1, "<", 3]}', [2], [1, 3]),
        ('{"numeric": [">=", 1, "<", 3]}', [2, 1], [0, 3]),
        ('{"numeric": [">", 1, "<=", 3]}', [2, 3], [1, 4]),
        ('{"anything-but": "x"}', ["y", "", 7, None, True], ["x"]),
        ('{"anything-but": ["x", "y"]}', ["z", 7], ["x", "y"]),
        ('{"anything-but": 7}', [8, "7", None], [7, 7.0]),
        ('{"anything-but": 1}', [True], [1]),
        ('{"anything-but": [7, 8]}', [9, "7"], [7, 8]),
        ('{"anything-but": {"prefix": "PA"}}', ["OPEN", 7], ["PAID"]),
        ('{"anything-but": {"suffix": ["ID", "EN"]}}', ["x"], ["PAID", "OPEN"]),
        ('{"anything-but": {"equals-ignore-case": "paid"}}', ["x"], ["PAID"]),
        ('{"anything-but": {"wildcard": ["a*", "*b"]}}', ["xc"], ["ax", "xb"]),
    ],
)
def test_an_expression_tests_values(
    expression: str, accepted: list[object], rejected: list[object]
) -> None:
    read = read_expression(read_json(expression))
    assert [value for value in accepted if not read.test(value)] == []
    assert [value for value in rejected if read.test(value)] == []
    assert not read.absent


def test_absence_is_no_property_of_a_value() -> None:
    read = read_expression(read_json('{"exists": false}'))
    assert read.absent
    assert not read.test("x")


@pytest.mark.parametrize(
    ("expression", "can_match", "always"),
    [
        ('"x"', {TEXT}, set()),
        ("7", {NUMBER}, set()),
        ("12345678901234567890123", set(), set()),
        ("true", {BOOLEAN, TRUE}, set()),
        ("false", {BOOLEAN}, set()),
        ("null", set(), set()),
        ('{"numeric": ["=", 7]}', {NUMBER}, set()),
        ('{"cidr": "10.0.0.0/8"}', {TEXT}, set()),
        ('{"anything-but": "x"}', set(Kind), {BOOLEAN, TRUE, NUMBER}),
        ('{"anything-but": 7}', set(Kind), {BOOLEAN, TRUE, TEXT}),
        ('{"anything-but": {"prefix": "x"}}', set(Kind), {BOOLEAN, TRUE, NUMBER}),
        ('{"exists": true}', set(Kind), set()),
        ('{"exists": false}', set(), set()),
    ],
)
def test_an_expression_knows_which_leaves_it_can_match(
    expression: str, can_match: set[Kind], always: set[Kind]
) -> None:
    read = read_expression(read_json(expression))
    assert (set(read.can_match), set(read.always)) == (can_match, always)


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("[]", "must be text, a number, true, false or null, not an empty list"),
        ("{}", "a match expression has one operator, not 0"),
        ('{"startswith": "x"}', "there is no operator 'startswith'"),
        ('{"exists": true, "prefix": "x"}', "has one operator, not 2"),
        ('{"exists": 1}', "exists takes true or false, not a number"),
        ('{"exactly": 7}', "exactly needs text, not a number"),
        ('{"prefix": 7}', "prefix needs text, not a number"),
        ('{"prefix": {"suffix": "x"}}', "prefix takes text or equals-ignore-case, not 'suffix'"),
        ('{"prefix": {"equals-ignore-case": 7}}', "equals-ignore-case of prefix needs text"),
        ('{"suffix": null}', "suffix needs text, not null"),
        ('{"suffix": {"prefix": "x"}}', "suffix takes text or equals-ignore-case, not 'prefix'"),
        ('{"equals-ignore-case": ["x"]}', "equals-ignore-case needs text, not a list"),
        ('{"wildcard": 7}', "wildcard needs text"),
        ('{"wildcard": "**"}', "wildcard has two asterisks in a row"),
        ('{"cidr": 7}', "cidr needs text"),
        ('{"cidr": "x"}', "cidr is malformed"),
        ('{"numeric": 7}', "numeric takes one of"),
        ('{"numeric": []}', "numeric takes one of"),
        ('{"numeric": ["="]}', "numeric takes one of"),
        ('{"numeric": ["!=", 7]}', "numeric takes one of"),
        ('{"numeric": ["<", 7, ">", 1]}', "numeric takes one of"),
        ('{"numeric": [">", "7"]}', "what numeric compares with must be a number, not text"),
        ('{"numeric": [">", 1e400]}', "has more digits than AWS compares"),
        ('{"numeric": [">", 7, "<", 7]}', "must be less than"),
        ('{"anything-but": []}', "anything-but takes"),
        ('{"anything-but": null}', "anything-but takes"),
        ('{"anything-but": ["x", 7]}', "anything-but needs text, not a number"),
        ('{"anything-but": [7, "x"]}', "what anything-but excludes must be a number, not text"),
        ('{"anything-but": {"numeric": ["=", 7]}}', "anything-but takes no 'numeric'"),
        ('{"anything-but": {"prefix": ""}}', "prefix of anything-but must not be empty"),
        ('{"anything-but": {"wildcard": []}}', "wildcard of anything-but must not be empty"),
        ('{"anything-but": {"wildcard": "**"}}', "wildcard has two asterisks"),
        ('{"anything-but": {"suffix": 7}}', "suffix of anything-but needs text"),
        ('{"anything-but": {"suffix": "x", "prefix": "y"}}', "has one operator, not 2"),
    ],
)
def test_what_aws_refuses_is_refused(expression: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason.replace("(", r"\(")):
        read_expression(read_json(expression))


def test_a_name_that_yaml_read_as_something_else_is_refused() -> None:
    with pytest.raises(Refused, match="an operator is read as true, not as text: quote it"):
        read_expression(Members([(True, "x")]))
