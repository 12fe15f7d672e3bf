"""The answer of Nakadi to one publishing request.

Source: `POST /event-types/{name}/events`. `attribution.py` says which item is about which event.

Rules
- What Nakadi says about a request as a whole is a Problem (RFC 7807). Any other body of a 3xx or
  4xx comes from something in between (a firewall, a proxy, a load balancer): `by_nakadi` is False.
- A 200 of Nakadi has an empty body. One with items is read as a 207. One with another text comes
  from something in between (a login page, say) and proves nothing.
- A body that is cut off, or in a coding that was not asked for, may say anything: nothing is known
  of the events. A 401, 413 or 429 means the same without it.
- An item that cannot be understood is None. An answer that should have items and has none that
  can be understood counts as no answer: `status` 0.
"""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import orjson
from msgspec import Struct
from msgspec.structs import replace

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_DETAIL: Final = 2_000
"""Most characters kept of Nakadi's text about an event or a request."""

LONGEST_PARTITION: Final = 255
"""Most characters of a partition's name. Names are remembered; a longer one counts as not given."""

NOT_SENT: Final = frozenset({"connect_timeout", "connect", "dns", "tls"})
"""Reasons of answers that stand for none, because no connection was made: nothing was sent."""

_WITH_ITEMS: Final = (200, 207, 422)

_ABOUT_THE_REQUEST: Final = frozenset({401, 408, 413, 425, 429})
"""Statuses of 400 to 499 that mean the same from Nakadi and from anything in between."""


class PublishingStatus(StrEnum):
    """`publishing_status` of a BatchItemResponse."""

    SUBMITTED = "submitted"
    FAILED = "failed"
    ABORTED = "aborted"


class BatchItemResponse(Struct, frozen=True):
    """The result of one event. `step` is none, validating, partitioning, enriching or publishing.

    `partition` is the partition's name, None if Nakadi did not give it. `eid` is "" if Nakadi did
    not give it.
    """

    status: PublishingStatus
    step: str
    detail: str
    partition: str | None
    eid: str = ""


Items = tuple[BatchItemResponse | None, ...]


class Answer(Struct, frozen=True):
    """An HTTP answer, or the lack of one (`status` 0: a time-out, a reset, an unreadable body).

    `items` is None unless the body was a list with an item that can be understood. `retry_after` is
    in seconds. `flow_id` names the request to the operators of Nakadi. `reason` is a short name for
    metrics and logs, such as `http_503`, `timeout`, `reset`; `foreign_403` is a 403 that is not
    Nakadi's. `by_nakadi`: the body is one that only Nakadi sends, or there is none.
    """

    status: int
    items: Items | None
    retry_after: float | None
    flow_id: str | None
    reason: str
    detail: str
    by_nakadi: bool = True


def no_answer(reason: str, detail: str, flow_id: str | None) -> Answer:
    """Return the Answer that stands for none: the events may have been stored or not."""
    return Answer(0, None, None, flow_id, reason, detail[:MAX_DETAIL])


def parse_answer(status: int, headers: Mapping[str, str], body: bytes) -> Answer:
    """Return the answer with this status and body. Names of headers are in lower case."""
    flow_id = headers.get("x-flow-id")
    content = _json(body)
    items = _items(content) if status in _WITH_ITEMS else None
    if status == 200 and items is None and body.strip() and content not in ([], {}):
        return no_answer("unexpected_body", f"200 with {len(body)} bytes", flow_id)
    if items is None and status in (207, 422) and not isinstance(content, dict):
        return no_answer("unreadable", f"{status} without items, {_size(body, headers)}", flow_id)
    by_nakadi = items is not None or status == 200 or _is_problem(content)
    return Answer(
        status,
        items,
        _retry_after(headers),
        flow_id,
        f"foreign_{status}" if _is_foreign(status, by_nakadi=by_nakadi) else f"http_{status}",
        _problem(content) or _size(body, headers),
        by_nakadi,
    )


def without_body(status: int, headers: Mapping[str, str], why: str) -> Answer:
    """Return the answer whose body cannot be read: only a status that needs none is believed."""
    if status in _WITH_ITEMS:
        return no_answer("unreadable", f"{status}: {why}", headers.get("x-flow-id"))
    return replace(parse_answer(status, headers, b""), detail=why[:MAX_DETAIL])


def _is_problem(content: object) -> bool:
    """Return whether this is a Problem of Nakadi: it always has a title and a status."""
    if not isinstance(content, dict):
        return False
    return isinstance(content.get("title"), str) and type(content.get("status")) is int


def _is_foreign(status: int, *, by_nakadi: bool) -> bool:
    """Return whether somebody else speaks in place of Nakadi."""
    return 300 <= status < 500 and status not in _ABOUT_THE_REQUEST and not by_nakadi


def _items(content: object) -> Items | None:
    if not isinstance(content, list):
        return None
    items = tuple(_item(item) for item in content)
    return items if any(items) else None


def _item(item: object) -> BatchItemResponse | None:
    if not isinstance(item, dict):
        return None
    try:
        status = PublishingStatus(_text(item.get("publishing_status")))
    except ValueError:
        return None
    partition = _text(item.get("partition"))
    return BatchItemResponse(
        status=status,
        step=(_text(item.get("step")) or "none").lower(),
        detail=_text(item.get("detail"))[:MAX_DETAIL],
        partition=partition if 0 < len(partition) <= LONGEST_PARTITION else None,
        eid=_text(item.get("eid")),
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
