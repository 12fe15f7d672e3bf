"""An event as readers get it: white space gone, `metadata` enriched, all else the text as sent."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from localdev.nakadi.java import json_text
from localdev.nakadi.strict_json import parse_object

if TYPE_CHECKING:
    from localdev.nakadi.event_types.event_type import EventType
    from localdev.nakadi.event_types.log import StoredEvent
    from localdev.nakadi.json_value import Json

_TOKEN = re.compile(r'("(?:[^"\\]|\\.)*")|[ \t\n\r]+', re.DOTALL)
_MEMBER_OR_BRACE = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\],]', re.DOTALL)


def stored_text(event_type: EventType, event: StoredEvent) -> str:
    """Return the text in the log of the real server."""
    compact = _TOKEN.sub(lambda match: match.group(1) or "", event.text)
    if not event_type.enriched or event.tombstone:
        return compact
    metadata = parse_object(event.text)["metadata"]
    start, end = _metadata_span(compact)
    return compact[:start] + _enriched(event_type, event, metadata) + compact[end:]


def _enriched(event_type: EventType, event: StoredEvent, metadata: Json) -> str:
    members = dict(metadata) if isinstance(metadata, dict) else {}
    members.update(
        published_by="unauthenticated",
        received_at=event.received_at,
        event_type=event_type.name,
        partition=event.partition,
        version=event.version,
    )
    if not members.get("flow_id"):
        members["flow_id"] = event.flow_id
    return json_text(members)


def _metadata_span(text: str) -> tuple[int, int]:
    """Return where the value of the outermost member `metadata` starts and ends."""
    depth, start = 0, -1
    for token in _MEMBER_OR_BRACE.finditer(text):
        mark = token.group()
        if start >= 0 and depth == 1 and mark in ",}":
            return start, token.start()
        if mark in "{[":
            depth += 1
        elif mark in "}]":
            depth -= 1
        elif depth == 1 and mark == '"metadata"' and text[token.end()] == ":":
            start = token.end() + 1
    return start, len(text)
