"""The header X-CONSUMER-TAG: `NAME=value`, comma separated; a bad one is a 422 of its own."""

from __future__ import annotations

import re
import uuid

from localdev.nakadi.problem import ProblemError

HEADER = "X-CONSUMER-TAG"
_SUBSCRIPTION = "CONSUMER_SUBSCRIPTION_ID"
_DEBUG = "DEBUG_PUBLISHER_TOPIC_ID"


def check_consumer_tag(header: str | None) -> None:
    """Raise the 422 unless the header is missing or good."""
    if header is None:
        return
    if not header.strip():
        raise ProblemError(422, f"{HEADER}: is empty!")
    entries = header.split(",")
    seen: set[str] = set()
    for entry in entries:
        parts = re.sub(r"\s", "", entry).split("=")
        if len(parts) != 2:
            raise ProblemError(
                422,
                f"header tag parameter is imbalanced, expected: 2 but provided {len(entries)}",
            )
        _check_tag(*parts)
        if parts[0] in seen:
            raise ProblemError(422, f"duplicate header tag: {parts[0]}")
        seen.add(parts[0])


def _check_tag(name: str, value: str) -> None:
    if name == _DEBUG:
        raise ProblemError(422, f"header tag unsupported: {name}")
    if name != _SUBSCRIPTION:
        raise ProblemError(422, f"invalid header tag: {name}")
    try:
        uuid.UUID(value)
    except ValueError:
        raise ProblemError(422, f"header tag value: {value} is not an UUID") from None
