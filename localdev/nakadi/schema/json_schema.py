"""The schema library, set to judge as the server's Java library does."""

from __future__ import annotations

import ipaddress
import itertools
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from localdev.nakadi.schema import occurred_at
from localdev.nakadi.schema.currency import CODES
from localdev.nakadi.schema.re2 import compile_re2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.protocols import Validator

    from localdev.nakadi.json_value import Json, JsonObject

# The server knows all top-level domains; here a name's last label must look like one.
_EMAIL = re.compile(
    r"[^\s@]+@(?:(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+"
    r"(?!(?:example|invalid|local|localhost|test)\.?\Z)[A-Za-z]{2,}|[A-Za-z]{2})\.?"
)
_LABEL = r"[^\W_]([^\W_]|-){0,61}[^\W_]|[^\W_]"
# The last label does not start with a digit, so an IPv4 address is no host name.
_HOSTNAME = re.compile(rf"(?=.{{1,253}}\.?\Z)(({_LABEL})\.)*(?!\d)({_LABEL})\.?")
# What `java.net.URI` parses, a relative one too.
_URI_CHARACTER = r"(?:%[0-9A-Fa-f]{2}|[^\x00-\x20\x7f-\xa0\"#%<>\[\\\]^`{|}])"
_URI = re.compile(
    rf"(?:[A-Za-z][A-Za-z0-9+.-]*:(?={_URI_CHARACTER})|(?![^/?#]*:))"
    rf"(?://(?:{_URI_CHARACTER}|[\[\]])*?(?=[/?#]|\Z))?{_URI_CHARACTER}*(?:#{_URI_CHARACTER}*)?"
)

_formats = FormatChecker(formats=())


def _by_pattern(name: str, pattern: re.Pattern[str], words: str) -> None:
    @_formats.checks(name, raises=ValueError)
    def check(value: object) -> bool:
        if isinstance(value, str) and pattern.fullmatch(value) is None:
            raise ValueError(f"[{value}] is not a valid {words}")
        return True


_by_pattern("email", _EMAIL, "email address")
_by_pattern("hostname", _HOSTNAME, "hostname")
_by_pattern("uri", _URI, "URI")


@_formats.checks("iso-4217", raises=ValueError)
@_formats.checks("ISO-4217", raises=ValueError)
def _currency(value: object) -> bool:
    if isinstance(value, str) and value not in CODES:
        raise ValueError(f"[{value}] is not a valid alphabetic ISO 4217 currency code")
    return True


@_formats.checks("date-time", raises=ValueError)
def _date_time(value: object) -> bool:
    fault = occurred_at.complaint(value) if isinstance(value, str) else None
    if fault is not None:
        raise ValueError(fault)
    return True


@_formats.checks("ipv4", raises=ValueError)
def _ipv4(value: object) -> bool:
    return not isinstance(value, str) or bool(ipaddress.IPv4Address(value))


@_formats.checks("ipv6", raises=ValueError)
def _ipv6(value: object) -> bool:
    return not isinstance(value, str) or bool(ipaddress.IPv6Address(value))


def _pattern(
    _validator: Validator, pattern: str, instance: Json, _schema: Json
) -> Iterator[ValidationError]:
    if isinstance(instance, str) and compile_re2(pattern).search(instance) is None:
        yield ValidationError("pattern")


def _multiple_of(
    _validator: Validator, divisor: float, instance: Json, _schema: Json
) -> Iterator[ValidationError]:
    """Compare as decimal numbers: 0.3 is a multiple of 0.1."""
    if isinstance(instance, bool) or not isinstance(instance, (int, float)):
        return
    if divisor and Decimal(repr(instance)) % Decimal(repr(divisor)):
        yield ValidationError("multipleOf")


def _same(one: Json, other: Json) -> bool:
    """Return whether two values are equal; an integer never equals a double, nor true 1."""
    match one, other:
        case dict(), dict():
            return one.keys() == other.keys() and all(_same(one[k], other[k]) for k in one)
        case list(), list():
            return len(one) == len(other) and all(map(_same, one, other))
        case _:
            return type(one) is type(other) and one == other


def _enum(
    _validator: Validator, values: list[Json], instance: Json, _schema: Json
) -> Iterator[ValidationError]:
    if not any(_same(value, instance) for value in values):
        yield ValidationError("enum")


def _const(
    _validator: Validator, value: Json, instance: Json, _schema: Json
) -> Iterator[ValidationError]:
    if not _same(value, instance):
        yield ValidationError("const")


def _unique_items(
    _validator: Validator, unique: object, instance: Json, _schema: Json
) -> Iterator[ValidationError]:
    if unique and isinstance(instance, list):
        pairs = itertools.combinations(instance, 2)
        if any(_same(one, other) for one, other in pairs):
            yield ValidationError("uniqueItems")


def _is_integer(_checker: object, instance: object) -> bool:
    """`1.0` is a double, in every draft."""
    return isinstance(instance, int) and not isinstance(instance, bool)


_KEYWORDS = {
    "pattern": _pattern,
    "multipleOf": _multiple_of,
    "enum": _enum,
    "uniqueItems": _unique_items,
}
_DRAFTS = {
    draft: extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        base,
        _KEYWORDS | ({} if draft == "4" else {"const": _const}),
        type_checker=base.TYPE_CHECKER.redefine("integer", _is_integer),
    )
    for draft, base in (("4", Draft4Validator), ("6", Draft6Validator), ("7", Draft7Validator))
}


def draft_of(schema: JsonObject) -> str:
    """Return the draft that the root of a schema names; 4 unless it does."""
    named = re.search(r"draft-0([67])/", str(schema.get("$schema", "")))
    return named.group(1) if named else "4"


def validator_of(schema: JsonObject) -> Validator:
    """Return the complete validator of a schema."""
    validator: Validator = _DRAFTS[draft_of(schema)](schema, format_checker=_formats)
    return validator
