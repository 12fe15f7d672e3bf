"""Match expressions: the elements of the list at the end of a pattern's path.

A value (`"PAID"`, `7`, `true`, `null`), or an object with one operator (`{"prefix": "PA"}`). What
AWS's engine, event-ruler, refuses is refused here. Its engine writes a string with its quotes, so
a prefix that ends in a quote also matches where the string ends, and a suffix likewise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec import Struct

from consumer.core.routes.language.ip_range import read_address, read_cidr
from consumer.core.routes.language.json_tree import Members, shown
from consumer.core.routes.language.letter_case import (
    ends_ignoring_case,
    equals_ignoring_case,
    starts_ignoring_case,
)
from consumer.core.routes.language.numeral import Numeral
from consumer.core.routes.language.scalar import ALL_KINDS, Kind, Test, is_number
from consumer.core.routes.language.wildcard import read_wildcard

_TEXT = frozenset({Kind.TEXT})
_OF_LITERAL: Mapping[bool | None, frozenset[Kind]] = {
    True: frozenset({Kind.BOOLEAN, Kind.TRUE}),
    False: frozenset({Kind.BOOLEAN}),
    None: frozenset(),  # DynamoDB's null is {"NULL": true}
}
_NUMBER = frozenset({Kind.NUMBER})
_QUOTE = '"'

TextTest = Callable[[str], bool]


class Refused(ValueError):
    """The text is the reason."""


class Expression(Struct, frozen=True):
    """One element of a list. `operator` is its name for people; a plain value is `equals`."""

    operator: str
    test: Test
    can_match: frozenset[Kind]  # the kinds of leaves of which it may match one
    always: frozenset[Kind] = frozenset()  # the kinds of which it matches every one
    equals: str | None = None  # the only text that it matches, if there is one
    absent: bool = False  # matches where nothing is; its test is never asked


def read_expression(node: object) -> Expression:
    """Return the expression of an element of a list. Raise Refused."""
    match node:
        case bool() | None:
            return _literal(node)
        case Numeral():
            return _number(node)
        case str():
            return _value(node)
        case Members():
            operator, operand = _only_member(node, "a match expression")
            read = _OPERATORS.get(operator)
            if read is None:
                raise Refused(f"there is no operator {operator!r}")
            return read(operand)
        case _:
            raise Refused(
                f"a value to match must be text, a number, true, false or null, not {shown(node)}"
            )


def _literal(value: bool | None) -> Expression:  # noqa: FBT001 - it is a value
    return Expression("equals", lambda scalar: scalar is value, _OF_LITERAL[value])


def _number(numeral: Numeral) -> Expression:
    double = numeral.double
    if double is None:
        return Expression("equals", lambda _: False, frozenset())
    return Expression("equals", lambda scalar: is_number(scalar) and scalar == double, _NUMBER)


def _value(text: str) -> Expression:
    address = read_address(text)
    if address is None:
        return _exactly(text)
    return _of_text("equals", lambda value: read_address(value) == address)


def _exactly(operand: object) -> Expression:
    text = _text("exactly", operand)
    return Expression("equals", lambda scalar: scalar == text, _TEXT, equals=text)


def _of_text(operator: str, test: TextTest) -> Expression:
    return Expression(operator, lambda scalar: isinstance(scalar, str) and test(scalar), _TEXT)


def _prefix(operand: object) -> Expression:
    if isinstance(operand, Members):
        text = _ignoring_case("prefix", operand)
        return _of_text("prefix", _before_quote(text, starts_ignoring_case(text)))
    return _of_text("prefix", _starts(_text("prefix", operand)))


def _suffix(operand: object) -> Expression:
    if isinstance(operand, Members):
        text = _ignoring_case("suffix", operand)
        return _of_text("suffix", _behind_quote(text, ends_ignoring_case(text)))
    return _of_text("suffix", _ends(_text("suffix", operand)))


def _starts(text: str) -> TextTest:
    return _before_quote(text, lambda value: value.startswith(text))


def _ends(text: str) -> TextTest:
    return _behind_quote(text, lambda value: value.endswith(text))


def _before_quote(text: str, test: TextTest) -> TextTest:
    return (lambda value: test(value + _QUOTE)) if text.endswith(_QUOTE) else test


def _behind_quote(text: str, test: TextTest) -> TextTest:
    return (lambda value: test(_QUOTE + value)) if text.startswith(_QUOTE) else test


def _ignoring_case(operator: str, operand: Members) -> str:
    name, text = _only_member(operand, f"the object of {operator}")
    if name != "equals-ignore-case":
        raise Refused(f"{operator} takes text or equals-ignore-case, not {name!r}")
    return _text(f"equals-ignore-case of {operator}", text)


def _equals_ignore_case(operand: object) -> Expression:
    text = _text("equals-ignore-case", operand)
    return _of_text("equals-ignore-case", equals_ignoring_case(text))


def _wildcard(operand: object) -> Expression:
    return _of_text("wildcard", _wildcard_test(_text("wildcard", operand)))


def _wildcard_test(text: str) -> TextTest:
    try:
        return read_wildcard(text).matches
    except ValueError as error:
        raise Refused(f"wildcard has {error}") from None


def _cidr(operand: object) -> Expression:
    try:
        return _of_text("cidr", read_cidr(_text("cidr", operand)).contains)
    except Refused:
        raise
    except ValueError as error:
        raise Refused(f"cidr is malformed: {error}") from None


def _exists(operand: object) -> Expression:
    if not isinstance(operand, bool):
        raise Refused(f"exists takes true or false, not {shown(operand)}")
    if operand:
        return Expression("exists", lambda _: True, ALL_KINDS)
    return Expression("exists", lambda _: False, frozenset(), absent=True)


def _numeric(operand: object) -> Expression:
    terms = operand if isinstance(operand, list) else []
    operators = tuple(terms[::2])
    numbers = [_comparable("what numeric compares with", term) for term in terms[1::2]]
    match operators, numbers:
        case ("=",), [number]:
            return _in_range(lambda value: value == number)
        case (">",), [low]:
            return _in_range(lambda value: value > low)
        case (">=",), [low]:
            return _in_range(lambda value: value >= low)
        case ("<",), [high]:
            return _in_range(lambda value: value < high)
        case ("<=",), [high]:
            return _in_range(lambda value: value <= high)
        case (">" | ">=", "<" | "<="), [low, high]:
            if low >= high:
                raise Refused("the lower number of numeric must be less than the upper one")
            lowest, highest = operators[0] == ">=", operators[1] == "<="
            return _in_range(
                lambda value: (
                    low < value < high or (lowest and value == low) or (highest and value == high)
                )
            )
        case _:
            raise Refused(
                "numeric takes one of =, <, <=, >, >= and a number, or > or >= and a number "
                "with < or <= and a number behind"
            )


def _in_range(test: Callable[[float], bool]) -> Expression:
    return Expression("numeric", lambda scalar: is_number(scalar) and test(scalar), _NUMBER)


def _comparable(what: str, operand: object) -> float:
    if not isinstance(operand, Numeral):
        raise Refused(f"{what} must be a number, not {shown(operand)}")
    double = operand.double
    if double is None:
        raise Refused(f"{what} has more digits than AWS compares")
    return double


def _anything_but(operand: object) -> Expression:
    match operand:
        case Members():
            return _anything_but_those(operand)
        case list() if operand:
            operands: Sequence[object] = operand
        case str() | Numeral():
            operands = [operand]
        case _:
            raise Refused(
                "anything-but takes text, a number, a list of either, or one of equals-ignore-case,"
                f" prefix, suffix and wildcard, not {shown(operand)}"
            )
    if isinstance(operands[0], str):
        texts = {_text("anything-but", each) for each in operands}
        return Expression(
            "anything-but", lambda scalar: scalar not in texts, ALL_KINDS, ALL_KINDS - _TEXT
        )
    numbers = {_comparable("what anything-but excludes", each) for each in operands}
    return Expression(
        "anything-but",
        lambda scalar: not (is_number(scalar) and scalar in numbers),
        ALL_KINDS,
        ALL_KINDS - _NUMBER,
    )


def _anything_but_those(operand: Members) -> Expression:
    name, value = _only_member(operand, "the object of anything-but")
    make = _EXCLUDED.get(name)
    if make is None:
        raise Refused(f"anything-but takes no {name!r}")
    texts = [_text(f"{name} of anything-but", each) for each in _listed(value)]
    if not texts or ("" in texts and name in {"prefix", "suffix"}):
        raise Refused(f"{name} of anything-but must not be empty")
    excluded = [make(text) for text in texts]
    return Expression(
        "anything-but",
        lambda scalar: not (isinstance(scalar, str) and any(test(scalar) for test in excluded)),
        ALL_KINDS,
        ALL_KINDS - _TEXT,
    )


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else [value]


def _text(what: str, operand: object) -> str:
    if not isinstance(operand, str):
        raise Refused(f"{what} needs text, not {shown(operand)}")
    return operand


def _only_member(members: Members, what: str) -> tuple[str, object]:
    if len(members) != 1:
        raise Refused(f"{what} has one operator, not {len(members)}")
    [(name, value)] = members
    if not isinstance(name, str):
        raise Refused(f"an operator is read as {shown(name)}, not as text: quote it")
    return name, value


_EXCLUDED: Mapping[str, Callable[[str], TextTest]] = {
    "equals-ignore-case": equals_ignoring_case,
    "prefix": _starts,
    "suffix": _ends,
    "wildcard": _wildcard_test,
}

_OPERATORS: Mapping[str, Callable[[object], Expression]] = {
    "anything-but": _anything_but,
    "cidr": _cidr,
    "equals-ignore-case": _equals_ignore_case,
    "exactly": _exactly,
    "exists": _exists,
    "numeric": _numeric,
    "prefix": _prefix,
    "suffix": _suffix,
    "wildcard": _wildcard,
}
