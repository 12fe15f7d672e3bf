"""Attribution: which item of an answer is about which event of the request.

Rules
- Nakadi gives an item for each event, in request order: each item is about the event at its index.
- If the list has another length, or an item there names another event, the order means nothing.
  Then an item is about the event that has its `eid`, if no other item and no other event has it.
- An event with no item is one of which nothing is known: None stands in its place.
- An answer with items that is about none of the events is no answer. Neither is a 422 that refuses
  none of them, unless its items are about these events, each of them, and no other: an event that
  is alone is refused by it, and only Nakadi's whole word may do that.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from msgspec.structs import replace

from consumer.core.publishing.answer import PublishingStatus, no_answer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.core.backlog.queued_event import QueuedEvent
    from consumer.core.publishing.answer import Answer, Items


def attributed(answer: Answer, events: Sequence[QueuedEvent[object]]) -> Answer:
    """Return the answer with an item, or None, for each of these events, in their order."""
    if answer.items is None:
        return answer
    items = _by_index(answer.items, events)
    if items is None:
        items = _by_eid(answer.items, events)
    refused = any(item is not None and item.status is PublishingStatus.FAILED for item in items)
    whole = all(items) and len(answer.items) == len(events)
    if not any(items) or (answer.status == 422 and not whole and not refused):
        detail = f"{answer.status} with {len(answer.items)} items for {len(events)} events"
        return no_answer("unreadable", detail, answer.flow_id)
    return replace(answer, items=items)


def _by_index(items: Items, events: Sequence[QueuedEvent[object]]) -> Items | None:
    """Return the items if each can be about the event at its index, None otherwise."""
    if len(items) != len(events):
        return None
    pairs = zip(items, events, strict=True)
    fits = all(item is None or item.eid in ("", event.content.eid) for item, event in pairs)
    return items if fits else None


def _by_eid(items: Items, events: Sequence[QueuedEvent[object]]) -> Items:
    named = Counter(item.eid for item in items if item is not None)
    asked = Counter(event.content.eid for event in events)
    by_eid = {item.eid: item for item in items if item is not None and named[item.eid] == 1}
    return tuple(
        by_eid.get(event.content.eid or "") if asked[event.content.eid] == 1 else None
        for event in events
    )
