"""The rule for date-times: RFC 3339 with seconds, and `Z` or `+hh:mm`.

Messages are those of `java.time`, whose parser decides what is a date-time.
"""

from __future__ import annotations

import re
from calendar import isleap, month_name, monthrange

_INVALID = "must be a valid date-time"
# The parts in the order in which the Java parser consumes them; `+hh:mm:ss` is refused afterwards.
_PARTS = (
    r"\d{4}(?!\d)|[+-]\d{5,10}|-\d{4}",
    "-",
    r"\d{2}",
    "-",
    r"\d{2}",
    "[Tt]",
    r"\d{2}",
    ":",
    r"\d{2}",
    r"(?::\d{2}(?:\.\d{0,9})?)?",
    r"[Zz]|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?",
)
_COMPILED = [re.compile(part, re.ASCII) for part in _PARTS]
_WHOLE = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.\d{0,9})?(?:[Zz]|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_RANGES = (
    ("MonthOfYear", 1, 12),
    ("DayOfMonth", 1, 31),
    ("HourOfDay", 0, 23),
    ("MinuteOfHour", 0, 59),
    ("SecondOfMinute", 0, 59),
)
_OFFSET_MAX_MINUTES = 18 * 60
_FEBRUARY, _LEAP_DAY = 2, 29
_MONTHS = tuple(name.upper() for name in month_name)


def complaint(text: str) -> str | None:
    """Return what is wrong with a date-time, None if nothing is."""
    match = _WHOLE.fullmatch(text)
    if match is None:
        return _unparsed(text)
    fault = _out_of_range(match)
    return None if fault is None else f"{_INVALID} Text '{text}' could not be parsed: {fault}"


def _unparsed(text: str) -> str:
    """Say where the Java parser stops, or that it accepts what RFC 3339 does not."""
    at = 0
    for part in _COMPILED:
        match = part.match(text, at)
        if match is None:
            return f"{_INVALID} Text '{text}' could not be parsed at index {at}"
        at = match.end()
    if at < len(text):
        return f"{_INVALID} Text '{text}' could not be parsed, unparsed text found at index {at}"
    return _INVALID


def _out_of_range(match: re.Match[str]) -> str | None:
    year, *rest = (int(number) for number in match.group(1, 2, 3, 4, 5, 6))
    for (name, lowest, highest), value in zip(_RANGES, rest, strict=True):
        if not lowest <= value <= highest:
            return f"Invalid value for {name} (valid values {lowest} - {highest}): {value}"
    month, day = rest[0], rest[1]
    if match.group(7):
        hours, minutes = int(match.group(8)), int(match.group(9))
        if hours > 23 or minutes > 59:
            return "Value out of range: Hour[0-23], Minute[0-59], Second[0-59]"
        if hours * 60 + minutes > _OFFSET_MAX_MINUTES:
            return "Zone offset not in valid range: -18:00 to +18:00"
    # Java knows the year 0, Python's calendar does not: 2000 has the same leap rule.
    if day <= monthrange(year or 2000, month)[1]:
        return None
    if (month, day) == (_FEBRUARY, _LEAP_DAY) and not isleap(year):
        return f"Invalid date 'February 29' as '{year}' is not a leap year"
    return f"Invalid date '{_MONTHS[month]} {day}'"
