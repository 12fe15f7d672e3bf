"""The schema library, set to judge as the server's Java library does."""

from __future__ import annotations

import ipaddress
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from jsonschema import Draft4Validator, Draft6Validator, Draft7Validator, FormatChecker
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from localdev.nakadi import occurred_at
from localdev.nakadi.re2 import compile_re2

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jsonschema.protocols import Validator

    from localdev.nakadi.json_value import Json, JsonObject

_CURRENCY = re.compile(r"[A-Z]{3}")
_EMAIL = re.compile(r"[^\s@]+@[^\s@.]+(\.[^\s@.]+)+")
_HOSTNAME = re.compile(
    r"(?=.{1,253}\Z)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s\"<>\\^`{|}]+")

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
_by_pattern("iso-4217", _CURRENCY, "alphabetic ISO 4217 currency code")
_by_pattern("ISO-4217", _CURRENCY, "alphabetic ISO 4217 currency code")


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


def _is_integer(_checker: object, instance: object) -> bool:
    """`1.0` is a double, in every draft."""
    return isinstance(instance, int) and not isinstance(instance, bool)


_KEYWORDS = {"pattern": _pattern, "multipleOf": _multiple_of}
_DRAFTS = {
    draft: extend(  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        base, _KEYWORDS, type_checker=base.TYPE_CHECKER.redefine("integer", _is_integer)
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
