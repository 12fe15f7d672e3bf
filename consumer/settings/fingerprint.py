"""What an application publishes, in one line: settings that may not change under its rows."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from consumer.settings.settings import Settings


def fingerprint(settings: Settings, partition_key: str) -> str:
    """Return one line of JSON that says what this application publishes, to be compared.

    With routes it names their event types, which are compared by `eventTypes` beside it.
    """
    if settings.routes:
        return json.dumps({"event_types": sorted(settings.event_types)}, ensure_ascii=False)
    return json.dumps(
        {
            "event_type": settings.event_type,
            "data_type": settings.data_type or settings.event_type,
            "ordering_key": settings.ordering_key or (partition_key,),
            "layout": settings.layout,
            "patch": settings.patch,
        },
        ensure_ascii=False,
    )
