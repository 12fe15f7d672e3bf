"""Numbers: turns DynamoDB's text of a number into JSON that Nakadi accepts, with every digit."""

import re
from decimal import Decimal
from math import isinf

from consumer.core.event.malformed import MalformedItem

INT64_MIN, INT64_MAX = -(2**63), 2**63 - 1
_ZERO = 0x30
_SAFE_DIGITS = 18  # this many digits always fit into a signed 64-bit integer
_INT64_CHARACTERS = 20  # the longest text of such an integer, with sign; a longer one is not parsed

_json_number = re.compile(rb"-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,4})?").fullmatch


def number(digits: bytes) -> bytes:
    """Return the JSON of the number that DynamoDB wrote as `digits`: unchanged, or as a string.

    Nakadi answers 400 to a whole request in which a bare integer exceeds signed 64 bits, or an
    exponent exceeds a double. Such an integer becomes a string; such an exponent, which DynamoDB
    does not write, is malformed.
    Raises MalformedItem when `digits` is not a JSON number.
    """
    whole, point, fraction = digits.partition(b".")  # nearly all numbers need no expression
    if (
        whole.isdigit()
        and (whole[0] != _ZERO or len(whole) == 1)
        and (fraction.isdigit() if point else len(whole) <= _SAFE_DIGITS)
    ):
        return digits
    found = _json_number(digits)
    if found is None:
        raise MalformedItem("its number is not written as JSON writes numbers")
    fraction, exponent = found.groups()
    if exponent is not None:
        if isinf(float(digits)):
            raise MalformedItem("its number is beyond a double")
    elif fraction is None and not _fits_int64(digits):
        return b'"%b"' % digits
    return digits


def by_value(digits: bytes) -> tuple[Decimal, bytes]:
    """Return the sort key of a number in a set: its value, then its text."""
    return Decimal(digits.decode()), digits


def _fits_int64(integer: bytes) -> bool:
    return len(integer) <= _INT64_CHARACTERS and INT64_MIN <= int(integer) <= INT64_MAX
