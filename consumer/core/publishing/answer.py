"""What Nakadi answered to one publishing request.

Source: `POST /event-types/{name}/events`; items come in request order and are matched by index.

Rules of reading an answer. A list of items counts only when it is whole and understood: one object
per event sent, each with a known `publishing_status`; otherwise there are no items. A 200 of Nakadi
has an empty body: one with any other text comes from something in front of it (a login page) and
proves nothing. An answer that ought to name items and cannot be read is no answer: `status` 0.
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
"""Most characters kept of what Nakadi says about an event or a request."""

_WITH_ITEMS: Final = (207, 422)


class PublishingStatus(StrEnum):
    """`publishing_status` of a BatchItemResponse."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    ABORTED = "aborted"


@dataclass(frozen=True, slots=True)
class BatchItemResponse:
    """One event's fate. `step` is none, validating, partitioning, enriching or publishing."""

    status: PublishingStatus
    step: str
    detail: str
    partition: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, or the lack of one (`status` 0: time-out, reset, unreadable; unknown).

    `items` is None unless the body was a whole list of as many items as events were sent.
    `retry_after` is in seconds. `flow_id` is what the operators of the bus ask for.
    `reason` is a short name for metrics and logs, such as `http_503`, `timeout`, `reset`.
    """

    status: int
    items: tuple[BatchItemResponse, ...] | None
    retry_after: float | None
    flow_id: str | None
    reason: str
    detail: str


def no_answer(reason: str, detail: str, flow_id: str | None) -> Answer:
    """The lack of an answer: nobody knows what was stored."""
    return Answer(0, None, None, flow_id, reason, detail[:MAX_DETAIL])


def parse_answer(status: int, headers: Mapping[str, str], body: bytes, sent: int) -> Answer:
    """Read a whole answer to a request with `sent` events. Names of headers are in lower case."""
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
    """A 200 or 400 that something in between has made up: it says nothing about the events.

    Nakadi's 200 is empty (JSON with nothing in it is as empty). Its 400 is a Problem, never a page.
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
        status = PublishingStatus(str(item.get("publishing_status")))
    except ValueError:
        return None
    partition = item.get("partition")
    return BatchItemResponse(
        status=status,
        step=str(item.get("step") or "none").lower(),
        detail=str(item.get("detail") or "")[:MAX_DETAIL],
        partition=None if partition is None else str(partition),
    )


def _json(body: bytes) -> object:
    try:
        content: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return None
    return content


def _problem(content: object) -> str:
    """`title: detail` of a Problem (RFC 7807), or the OAuth fields of a 401."""
    if not isinstance(content, dict):
        return ""
    names = ("title", "detail", "error", "error_description")
    said = [str(content[name]) for name in names if content.get(name)]
    return ": ".join(said)[:MAX_DETAIL]


def _size(body: bytes, headers: Mapping[str, str]) -> str:
    """What is said of a body that is no Problem: it may quote an event, so nothing of it."""
    if not body.strip():
        return ""
    return f"{len(body)} bytes of {headers.get('content-type', 'no type')[:MAX_DETAIL]}"


def _retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds to wait. A date is taken relative to the answer's own Date, so no clock is needed."""
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
    except (TypeError, ValueError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)
