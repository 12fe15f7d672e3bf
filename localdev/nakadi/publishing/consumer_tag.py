"""The header X-CONSUMER-TAG: `NAME=value`, comma separated; a bad one is a 422 of its own."""

from __future__ import annotations

import re

from localdev.nakadi.http.problem import ProblemError

HEADER = "X-CONSUMER-TAG"
_SUBSCRIPTION = "CONSUMER_SUBSCRIPTION_ID"
_DEBUG = "DEBUG_PUBLISHER_TOPIC_ID"
# As Java reads them: five hexadecimal numbers of any length.
_UUID = re.compile(r"[0-9a-fA-F]+(?:-[0-9a-fA-F]+){4}")


def check_consumer_tag(header: str | None) -> None:
    """Raise the 422 unless the header is missing or good."""
    if header is None:
        return
    if not header.strip():
        raise ProblemError(422, f"{HEADER}: is empty!")
    # Java's split drops empty parts at the end.
    entries = header.rstrip(",").split(",")
    seen: set[str] = set()
    for entry in entries:
        parts = re.sub(r"\s", "", entry).rstrip("=").split("=")
        if len(parts) != 2:
            raise ProblemError(
                422,
                f"header tag parameter is imbalanced, expected: 2 but provided {len(entries)}",
            )
        name = _check_name(parts[0])
        if name in seen:
            raise ProblemError(422, f"duplicate header tag: {name}")
        seen.add(name)
        if name != _SUBSCRIPTION:
            raise ProblemError(422, f"header tag unsupported: {parts[0]}")
        if _UUID.fullmatch(parts[1]) is None:
            raise ProblemError(422, f"header tag value: {parts[1]} is not an UUID")


def _check_name(given: str) -> str:
    name = given.upper()
    if name not in (_SUBSCRIPTION, _DEBUG):
        raise ProblemError(422, f"invalid header tag: {given}")
    return name
