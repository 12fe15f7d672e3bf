"""Behaviour of Java's runtime that shows in Nakadi: hashes, number texts, hash map order."""

from __future__ import annotations

import math
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from localdev.nakadi.json_value import Json

_INT_BITS = 32
_HASHES_REMEMBERED = 65_536
_HASH_MAP_START = 16
# Double.toString writes plain decimals within this range and computerized scientific notation else.
_PLAIN_FROM, _PLAIN_BELOW = 1e-3, 1e7


def int32(value: int) -> int:
    """Wrap to a signed 32-bit integer, as Java's `int` does."""
    value &= 0xFFFFFFFF
    return value - (1 << _INT_BITS) if value >> (_INT_BITS - 1) else value


@lru_cache(maxsize=_HASHES_REMEMBERED)
def string_hash(text: str) -> int:
    """Return `String.hashCode()`: over UTF-16 code units, signed 32 bits."""
    result = 0
    if text.isascii():
        for unit in text.encode():
            result = (31 * result + unit) & 0xFFFFFFFF
    else:
        units = text.encode("utf-16-be", "surrogatepass")
        for high, low in zip(units[::2], units[1::2], strict=True):
            result = (31 * result + (high << 8 | low)) & 0xFFFFFFFF
    return int32(result)


def double_text(value: float) -> str:
    """Return `Double.toString(value)`, for instance 1.5, 100000.0, 1.0E7."""
    if value == 0 or math.isinf(value) or math.isnan(value):
        return repr(value)
    sign = "-" if value < 0 else ""
    shortest = repr(abs(value))
    if len(shortest.partition("e")[0].replace(".", "").strip("0")) == 1:
        # Java takes the nearest of the texts with two digits where one digit would do.
        two_digits = f"{abs(value):.1e}"
        shortest = two_digits if float(two_digits) == abs(value) else shortest
    mantissa, exponent_text = f"{shortest}e0".split("e")[:2]
    exponent = int(exponent_text)
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # value = 0.<digits> * 10^point
    point = exponent + len(whole) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0") or "0"
    if _PLAIN_FROM <= abs(value) < _PLAIN_BELOW:
        if point <= 0:
            return f"{sign}0.{'0' * -point}{digits}"
        whole, fraction = digits[:point].ljust(point, "0"), digits[point:] or "0"
        return f"{sign}{whole}.{fraction}"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point - 1}"


_QUOTED = re.compile(r'["\\\x00-\x1f\x80-\x9f\u2000-\u20ff]|(?<=<)/')
_SHORT = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    if character in '"\\/':
        return "\\" + character
    return _SHORT.get(character) or f"\\u{ord(character):04x}"


def json_text(value: Json) -> str:
    """Return `JSONObject.toString()`: members in hash map order, doubles without trailing zeros."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case str():
            return f'"{_QUOTED.sub(_escape, value)}"'
        case int():
            return str(value)
        case float():
            text = double_text(value)
            return text if "E" in text else text.rstrip("0").rstrip(".")
        case list():
            return f"[{','.join(map(json_text, value))}]"
        case dict():
            members = (
                f"{json_text(name)}:{json_text(value[name])}" for name in hash_map_order(value)
            )
            return f"{{{','.join(members)}}}"


def hash_map_order(keys: Iterable[str]) -> list[str]:
    """Return keys as a `java.util.HashMap` iterates them (no collision turns into a tree here)."""
    names = list(keys)
    size = _HASH_MAP_START
    while len(names) > size * 3 // 4:
        size *= 2

    def bucket(name: str) -> int:
        spread = string_hash(name) & 0xFFFFFFFF
        return (spread ^ (spread >> 16)) & (size - 1)

    return sorted(names, key=bucket)


def java_text(value: Json) -> str:
    """Return a string as it is and any other value as Java prints it."""
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case None:
            return "null"
        case int():
            return str(value)
        case float():
            return double_text(value)
        case _:
            return json_text(value)
