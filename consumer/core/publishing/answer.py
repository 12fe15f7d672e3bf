"""The answer of Nakadi to one publishing request.

Source: `POST /event-types/{name}/events`; items come in request order and are matched by index.

Rules
- A list of items is used only if it is complete and understood: one object for each event sent,
  each with a known `publishing_status`. Otherwise there are no items.
- A 200 of Nakadi has an empty body. One with another text comes from a proxy in front of it (a
  login page, say) and proves nothing.
- An answer that should have items and cannot be read counts as no answer: `status` 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DETAIL: Final = 2_000
"""Most characters kept of Nakadi's text about an event or a request."""

_WITH_ITEMS: Final = (207, 422)


class PublishingStatus(StrEnum):
    """`publishing_status` of a BatchItemResponse."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class BatchItemResponse:
    """The result of one event. `step` is none, validating, partitioning, enriching or publishing.

    `partition` is the partition's name, None if Nakadi did not give it.
    """

    status: PublishingStatus
    step: str
    detail: str
    partition: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or the lack of one (`status` 0: a time-out, a reset, an unreadable body).

    `items` is None unless the body was a list with one valid item for each event that was sent.
    `retry_after` is in seconds. `flow_id` names the request to the operators of Nakadi.
    `reason` is a short name for metrics and logs, such as `http_503`, `timeout`, `reset`.
    """

    status: int
    items: tuple[BatchItemResponse, ...] | None
    retry_after: float | None
    flow_id: str | None
    reason: str
    detail: str


def no_answer(reason: str, detail: str, flow_id: str | None) -> Answer:
    """Return the Answer that stands for none: the events may have been stored or not."""
    return Answer(0, None, None, flow_id, reason, detail[:MAX_DETAIL])


def parse_answer(status: int, headers: Mapping[str, str], body: bytes, sent: int) -> Answer:
    """Return the answer to a request with `sent` events. Names of headers are in lower case."""
    flow_id = headers.get("x-flow-id")
    content = _json(body)
    if _not_nakadis(status, content, body):
        return no_answer("unexpected_body", f"{status} with {len(body)} bytes", flow_id)
    items = _items(content, sent) if status in _WITH_ITEMS else None
    if items is None and status in _WITH_ITEMS and not isinstance(content, dict):
        return no_answer("unreadable", f"{status} without items, {_size(body, headers)}", flow_id)
    return Answer(
        status,
        items,
        _retry_after(headers),
        flow_id,
        f"http_{status}",
        _problem(content) or _size(body, headers),
    )


def _not_nakadis(status: int, content: object, body: bytes) -> bool:
    """Return whether a 200 or 400 comes from a proxy: it says nothing about the events.

    Nakadi's 200 is empty (or an empty JSON list or object). Its 400 is a Problem, never a page.
    """
    match status:
        case 200:
            return bool(body.strip()) and content not in ([], {})
        case 400:
            return body.lstrip().startswith(b"<")
        case _:
            return False


def _items(content: object, sent: int) -> tuple[BatchItemResponse, ...] | None:
    if not isinstance(content, list) or len(content) != sent:
        return None
    items = tuple(_item(item) for item in content)
    whole = tuple(item for item in items if item is not None)
    return whole if len(whole) == len(items) else None


def _item(item: object) -> BatchItemResponse | None:
    if not isinstance(item, dict):
        return None
    try:
        status = PublishingStatus(_text(item.get("publishing_status")))
    except ValueError:
        return None
    return BatchItemResponse(
        status=status,
        step=(_text(item.get("step")) or "none").lower(),
        detail=_text(item.get("detail"))[:MAX_DETAIL],
        partition=_text(item.get("partition")) or None,
    )


def _text(value: object) -> str:
    """Return a value as text, "" for None and for what is nested too deeply."""
    try:
        return "" if value is None else str(value)
    except RecursionError:
        return ""


def _json(body: bytes) -> object:
    try:
        content: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content


def _problem(content: object) -> str:
    """Return `title: detail` of a Problem (RFC 7807), or the OAuth fields of a 401."""
    if not isinstance(content, dict):
        return ""
    names = ("title", "detail", "error", "error_description")
    said = [_text(content.get(name)) for name in names]
    return ": ".join(text for text in said if text)[:MAX_DETAIL]


def _size(body: bytes, headers: Mapping[str, str]) -> str:
    """Describe a body that is not a Problem by its size: its text may quote an event."""
    if not body.strip():
        return ""
    return f"{len(body)} bytes of {headers.get('content-type', 'no type')[:MAX_DETAIL]}"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds to wait. A date is compared with the answer's own Date, not a clock."""
    value = headers.get("retry-after", "").strip()
    if value.isascii() and value.isdigit():
        return float(value[:9])
    until, now = _date(value), _date(headers.get("date", ""))
    if until is None or now is None:
        return None
    return max(0.0, (until - now).total_seconds())


def _date(value: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(value)
    except (IndexError, OverflowError, TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
