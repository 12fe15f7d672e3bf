"""`annotations` and `labels` of an event type: their keys, their values, the reserved ones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localdev.nakadi.http.problem import ProblemError

if TYPE_CHECKING:
    from localdev.nakadi.json_value import Json

# Keys of annotations and labels: all that do not match are reported.
_KEY_RULES = (
    (r"[\s\S]+", "Key cannot be empty"),
    (
        r"([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?[^/]*",
        "Key name should be an optional lowercase domain name with path",
    ),
    (r"([-.a-z0-9]{0,253}/)?[^/]*", "Key prefix cannot be more than 253 characters."),
    (r"([-.a-z0-9]+/)?[^/]{0,63}", "Key name cannot be more than 63 characters."),
    (
        r"([^/]+/)?[a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?",
        "Key name should start and end with a letter or a digit",
    ),
)
# Longest value of an annotation and of a label.
_LENGTHS = {"annotations": 1000, "labels": 63}
_LABEL = re.compile(r"([a-zA-Z0-9]([a-zA-Z0-9_.-]*[a-zA-Z0-9])?)?")
_LAKE = "datalake.zalando.org/"
_MATERIALIZE, _PERIOD = f"{_LAKE}materialize-events", f"{_LAKE}retention-period"
_REASON = f"{_PERIOD}-reason"
_PERIOD_FORM = re.compile(r"([1-9][0-9]*)(?:\s(day|week|month|year)s?|([dwmy]))")
# Shortest and longest period by the first letter of its unit.
_PERIOD_RANGES = {"d": (7, 3650), "w": (1, 521), "m": (1, 120), "y": (1, 10)}


def pair_complaints(member: str, pairs: Json) -> list[tuple[str, str]]:
    """Return what is wrong with the keys and values of `annotations` or `labels`."""
    found: list[tuple[str, str]] = []
    for key, value in (pairs if isinstance(pairs, dict) else {}).items():
        where = f"{member}[{key}]"
        found.extend(
            (where, message)
            for pattern, message in _KEY_RULES
            if re.fullmatch(pattern, key) is None
        )
        longest = _LENGTHS[member]
        if isinstance(value, str) and len(value) > longest:
            found.append((where, f"size must be between 0 and {longest}"))
        if member == "labels" and isinstance(value, str) and _LABEL.fullmatch(value) is None:
            found.append((where, "Should contain only allowed symbols"))
    return found


def check_annotations(annotations: Json) -> None:
    """Raise the 422 for annotations that the server itself gives a meaning."""
    given = annotations if isinstance(annotations, dict) else {}
    materialize, period = given.get(_MATERIALIZE), given.get(_PERIOD)
    if materialize not in (None, "on", "off"):
        raise ProblemError(
            422,
            f"Annotation {_MATERIALIZE} is not valid. "
            f'Provided value: "{materialize}". Possible values are: "on" or "off".',
        )
    if materialize == "on" and period is None:
        raise ProblemError(422, f'Annotation {_PERIOD} is required, when {_MATERIALIZE} is "on".')
    if period is None:
        return
    if not given.get(_REASON):
        raise ProblemError(422, f"Annotation {_REASON} is required, when {_PERIOD} is specified.")
    if not _is_period(str(period)):
        raise ProblemError(422, f"Annotation {_PERIOD} does not comply with regex.")


def _is_period(text: str) -> bool:
    match = _PERIOD_FORM.fullmatch(text)
    if match is None:
        return text == "unlimited"
    least, most = _PERIOD_RANGES[(match.group(2) or match.group(3))[0]]
    return least <= int(match.group(1)) <= most
