"""What the log says about why an event was refused: Nakadi's text without values of the event.

Nakadi quotes values that it refuses ("PAID is not a valid enum value"). The log has nothing of an
item, so each value of the event that the text repeats is replaced. Names stay: they say where the
value is. The dead letter has the whole text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CHARACTERS: Final = 300
"""Most characters of a detail in the log."""

REPLACED: Final = "…"

_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?")


def logged_detail(detail: str, body: bytes | None) -> str:
    """Return the text of a refusal for the log; `body` is that of the event."""
    values = list(_values(orjson.loads(body or b"{}")))
    texts = {value for value in values if isinstance(value, str) and value and value in detail}
    numbers = {float(value) for value in values if not isinstance(value, str)}
    for text in sorted(texts, key=len, reverse=True):
        detail = re.sub(rf"(?<!\w){re.escape(text)}(?!\w)", REPLACED, detail)
    detail = _NUMBER.sub(lambda found: _shown(found[0], numbers), detail)
    return detail[:MOST_CHARACTERS]


def _values(content: object) -> Iterator[str | float]:
    """Yield the texts and numbers of a JSON value."""
    rest = [content]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            rest.extend(value.values())
        elif isinstance(value, list):
            rest.extend(value)
        elif isinstance(value, str | int | float) and not isinstance(value, bool):
            yield value


def _shown(number: str, numbers: set[float]) -> str:
    return REPLACED if float(number) in numbers else number
