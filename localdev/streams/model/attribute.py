"""Attribute values as DynamoDB writes them in JSON: their size, and when two are the same."""

import binascii
import re
from base64 import b64decode
from decimal import Decimal, InvalidOperation
from typing import Final, TypeAlias

from localdev.streams.errors import invalid

AttributeValue: TypeAlias = "dict[str, object]"  # one member, its name being the type: {"S": "x"}
Attributes: TypeAlias = "dict[str, AttributeValue]"

MAX_NESTING: Final = 32  # AWS: nested attribute depth
MAX_DIGITS: Final = 38  # AWS: of a number
MAX_EXPONENT: Final = 125  # AWS: up to 9.99E+125
MIN_EXPONENT: Final = -130  # AWS: down to 1E-130
_CANONICAL: Final = re.compile(r"-?[1-9][0-9]*|-?(?:0|[1-9][0-9]*)\.[0-9]*[1-9]|0", re.ASCII)


def number(text: object) -> Decimal:
    """Return the value of an N. Raise ServiceError (validation)."""
    try:
        value = Decimal(text if isinstance(text, str) else "")
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise invalid("A value provided cannot be converted into a number")
    return value


def canonical_number(text: object) -> str:
    """Return the one spelling in which the service gives a number back.

    Raise ServiceError (validation), also for one beyond the service's range.
    """
    if isinstance(text, str) and len(text) <= MAX_DIGITS and _CANONICAL.fullmatch(text):
        return text
    value = number(text)
    if not value:
        return "0"
    digits = "".join(map(str, value.as_tuple().digits)).strip("0")
    if len(digits) > MAX_DIGITS:
        raise invalid(f"Attempting to store more than {MAX_DIGITS} significant digits in a Number")
    if not MIN_EXPONENT <= value.adjusted() <= MAX_EXPONENT:
        raise invalid("Number overflow or underflow: its magnitude is out of the supported range")
    plain = format(value, "f")
    return plain.rstrip("0").rstrip(".") if "." in plain else plain


def canonical(attributes: Attributes) -> Attributes:
    """Return attributes that have a size with their numbers as the service gives them back."""
    return {name: _canonical_value(value) for name, value in attributes.items()}


def _canonical_value(value: AttributeValue) -> AttributeValue:
    match typed(value):
        case ("N", text):
            return {"N": canonical_number(text)}
        case ("NS", list(elements)):
            return {"NS": [canonical_number(element) for element in elements]}
        case ("M", dict(members)):
            return {"M": canonical(members)}
        case ("L", list(elements)):
            return {"L": [_canonical_value(element) for element in elements]}
        case _:
            return value


def typed(value: object) -> tuple[str, object]:
    """Return type and content of an attribute value. Raise ServiceError (validation)."""
    if isinstance(value, dict) and len(value) == 1:
        ((kind, content),) = value.items()
        return kind, content
    raise invalid(
        "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"
    )


def attributes_size(attributes: Attributes, depth: int = 0) -> int:
    """Return bytes by DynamoDB's rule for item sizes. Raise ServiceError (validation)."""
    return sum(len(name.encode()) + value_size(v, depth) for name, v in attributes.items())


def value_size(value: object, depth: int) -> int:
    """Return bytes of one value, itself below `depth` maps and lists."""
    if depth > MAX_NESTING:
        raise invalid("Nesting Levels have exceeded supported limits")
    kind, content = typed(value)
    if kind == "S" and isinstance(content, str):  # most are
        return len(content.encode())
    match (kind, content):
        case ("N", str(text)):
            number(text)
            return len(text) // 2 + 2
        case ("B", str(text)):
            return _binary_size(text)
        case ("BOOL", bool()) | ("NULL", True):
            return 1
        case ("M", dict(members)):
            return 3 + len(members) + attributes_size(members, depth + 1)
        case ("L", list(elements)):
            return 3 + sum(1 + value_size(element, depth + 1) for element in elements)
        case ("SS" | "NS" | "BS", [_, *_] as elements):
            return sum(value_size({kind[0]: element}, depth) for element in elements)
        case _:
            raise invalid("Supplied AttributeValue is not of a supported datatype")


def _binary_size(text: str) -> int:
    try:
        return len(b64decode(text, validate=True))
    except binascii.Error:
        raise invalid("Invalid base64 in a binary attribute") from None


def same(old: Attributes, new: Attributes) -> bool:
    """Return whether they are equal, regardless of order in sets and spelling of numbers."""
    return old == new or (
        old.keys() == new.keys() and all(_same_value(old[name], new[name]) for name in old)
    )


def _same_value(old: object, new: object) -> bool:
    match typed(old), typed(new):
        case ("N", left), ("N", right):
            return number(left) == number(right)
        case ("M", dict(left)), ("M", dict(right)):
            return same(left, right)
        case ("L", list(left)), ("L", list(right)):
            return len(left) == len(right) and all(map(_same_value, left, right))
        case ("NS", list(left)), ("NS", list(right)):
            return {number(element) for element in left} == {number(element) for element in right}
        case (("SS" | "BS") as kind, list(left)), (other, list(right)):
            return kind == other and set(left) == set(right)
        case _:
            return old == new
