"""Whether a pattern matches an event, the slow and obvious way: flatten all of it, try everything.

Written from the source of AWS's engine, event-ruler, without a look at the service's own matcher.
"""

import json
import re
from collections.abc import Iterator
from decimal import Decimal
from ipaddress import IPv6Address, ip_address
from typing import Any, NamedTuple

Json = Any


class Pairs(list[tuple[str, Json]]):
    """An object with all its members."""


class Number(NamedTuple):
    digits: str

    @property
    def value(self) -> float | str:
        """A double; the digits, if a double is not exactly this."""
        double = float(self.digits)
        same = abs(double) != float("inf") and Decimal(repr(double)) == Decimal(self.digits)
        return double if same else self.digits


class Field(NamedTuple):
    path: str
    value: Json
    membership: dict[int, int]  # the element, by the number of the array


def parse(text: str) -> Json:
    return json.loads(text, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


def flatten(event: Json) -> list[Field]:
    fields: list[Field] = []
    arrays = iter(range(10**6))

    def walk(path: list[str], node: Json, membership: dict[int, int]) -> None:
        if isinstance(node, Pairs):
            for name, child in node:
                walk([*path, name], child, membership)
        elif isinstance(node, list):
            array = next(arrays)
            for index, child in enumerate(node):
                inner = isinstance(child, list)  # also Pairs
                walk(path, child, membership | {array: index} if inner else membership)
        else:
            fields.append(Field(".".join(path), node, membership))

    walk([], event, {})
    return fields


def matches(pattern: str, event: str) -> bool:
    """Of a pattern that is not refused."""
    fields = flatten(parse(event))
    return any(holds(branch, fields) for branch in branches(parse(pattern)))


def branches(pattern: Pairs) -> list[dict[str, list[Json]]]:
    found: list[dict[str, list[Json]]] = [{}]

    def walk(found: list[dict[str, list[Json]]], path: str, node: Pairs) -> Any:
        for name, child in node:
            below = f"{path}.{name}" if path else name
            if name == "$or":
                found = [
                    branch
                    for each in child
                    for branch in walk([dict(before) for before in found], path, each)
                ]
            elif isinstance(child, Pairs):
                found = walk(found, below, child)
            else:
                for branch in found:
                    branch[below] = child
        return found

    result: list[dict[str, list[Json]]] = walk(found, "", pattern)
    return result


def holds(branch: dict[str, list[Json]], fields: list[Field]) -> bool:
    """Go through the paths in the order of Java's strings, and try all fields of each."""
    paths = sorted(branch, key=lambda path: path.encode("utf-16-be", "surrogatepass"))

    def fits(so_far: dict[int, int], membership: dict[int, int]) -> bool:
        return all(so_far.get(array, index) == index for array, index in membership.items())

    def search(rest: list[str], so_far: dict[int, int]) -> bool:
        if not rest:
            return True
        path, *more = rest
        here = [field for field in fields if field.path == path and fits(so_far, field.membership)]
        if Pairs([("exists", False)]) in branch[path] and not here and search(more, so_far):
            return True
        return any(
            any(accepts(condition, field.value) for condition in branch[path])
            and search(more, so_far | field.membership)
            for field in here
        )

    return search(paths, {})


def accepts(condition: Json, value: Json) -> bool:
    """Whether a value that is there is what one condition asks for."""
    if not isinstance(condition, Pairs):
        return same(condition, value)
    ((operator, operand),) = condition
    quoted = f'"{value}"' if isinstance(value, str) else ""
    match operator:
        case "exists":
            return bool(operand)
        case "exactly":
            return bool(value == operand)
        case "anything-but":
            return not excluded(operand, value)
        case "numeric":
            return isinstance(value, Number) and within(operand, value.value)
    if not isinstance(value, str):
        return False
    match operator, operand:
        case "prefix", str():
            return quoted.startswith(f'"{operand}')
        case "suffix", str():
            return quoted.endswith(f'{operand}"')
        case "prefix", _:
            return bool(ends_of(f'"{operand[0][1]}', quoted))
        case "suffix", _:
            text = f'{operand[0][1]}"'
            starts = range(len(quoted) + 1)
            return any(len(quoted) - start in ends_of(text, quoted[start:]) for start in starts)
        case "equals-ignore-case", _:
            return len(value) in ends_of(operand, value)
        case "wildcard", _:
            return wildcard(operand, value)
        case "cidr", _:
            return in_network(operand, value)
    raise AssertionError(operator)


def same(wanted: Json, value: Json) -> bool:
    if isinstance(wanted, Number) and isinstance(value, Number):
        return wanted.value == value.value
    if isinstance(wanted, str) and isinstance(value, str):
        address = numeric_address(wanted)
        return value == wanted if address is None else numeric_address(value) == address
    return type(wanted) is type(value) and wanted == value


def excluded(operand: Json, value: Json) -> bool:
    if isinstance(operand, Pairs):
        ((operator, texts),) = operand
        texts = texts if isinstance(texts, list) else [texts]
        return any(accepts(Pairs([(operator, text)]), value) for text in texts)
    operands = operand if isinstance(operand, list) else [operand]
    return any(
        one.value == value.value
        if isinstance(one, Number) and isinstance(value, Number)
        else type(one) is type(value) and one == value
        for one in operands
    )


def within(terms: list[Json], value: float | str) -> bool:
    compare = {
        "=": lambda a, b: a == b,
        "<": lambda a, b: a < b,
        "<=": lambda a, b: a <= b,
        ">": lambda a, b: a > b,
        ">=": lambda a, b: a >= b,
    }
    return isinstance(value, float) and all(
        compare[operator](value, number.value)
        for operator, number in zip(terms[::2], terms[1::2], strict=True)
    )


def ends_of(text: str, value: str) -> set[int]:
    """Where in the value a text may end that begins where it begins, whatever the letter case."""
    ends = {0}
    for character in text:
        lower, upper = (
            ("??", "??") if ord(character) > 0xFFFF else (character.lower(), character.upper())
        )
        ends = {
            end + len(writing)
            for end in ends
            for writing in {lower, upper}
            if value.startswith(writing, end)
        }
    return ends


def wildcard(pattern: str, value: str) -> bool:
    parts = re.findall(r"\\(.)|(\*)|([^*\\])", pattern, re.DOTALL)
    expression = "".join(".*" if star else re.escape(one or other) for one, star, other in parts)
    return re.fullmatch(expression, value, re.DOTALL) is not None


def numeric_address(text: str) -> tuple[int, int] | None:
    """The version of an address and its value, however many leading zeros it has."""
    if re.fullmatch(r"[0-9]+(\.[0-9]+){3}", text):
        if len(text) > 15:
            return None
        text = ".".join(str(int(number)) for number in text.split("."))
    elif not re.fullmatch(r"[0-9a-fA-F:]*:[0-9a-fA-F:]*", text):
        return None
    text = re.sub(r"\b0+(?=[0-9a-fA-F])", "", text) if ":" in text else text
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return address.version, int(address)


def in_network(network: str, value: str) -> bool:
    base, _, mask = network.partition("/")
    wanted, found = numeric_address(base), numeric_address(value)
    assert wanted is not None
    if found is None or found[0] != wanted[0]:
        return False
    bits = (32 if wanted[0] == 4 else 128) - int(mask)
    return found[1] >> bits == wanted[1] >> bits


def leaves(event: Json) -> Iterator[tuple[str, Json]]:
    """Paths and values of an event."""
    for field in flatten(event):
        yield field.path, field.value
