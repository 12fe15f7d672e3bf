"""Items that were read, for the tests of republishing."""

from __future__ import annotations

import json
from typing import Any

from msgspec import Raw

from consumer.core.event.event import EventFormat
from consumer.core.event.items.shapes import Shapes
from consumer.core.limits import PublishLimits
from consumer.core.republish.item_event import Run
from consumer.core.republish.item_events import ItemEvents
from consumer.core.republish.table.read_item import ReadItem
from consumer.core.republish.taking_part import taking_part
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.stream.stream import Stream

TABLE_ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/orders"
LABEL = "2026-11-01T09:30:00.000"
STREAM_ARN = f"{TABLE_ARN}/stream/{LABEL}"
RUN = Run("run-1", TABLE_ARN, Stream.from_arn(STREAM_ARN))
KEYS = ("id",)
AT = 1793525400.5

Json = Any


def wire(value: Json) -> Raw:
    return Raw(json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode())


def there(item: Json, keys: Json = None, **more: Any) -> ReadItem:
    """An item that is there, in typed JSON; its keys are `id`, unless they are given."""
    found = {"id": item["id"]} if keys is None else keys
    return ReadItem(wire(found), wire(item), more.pop("read_at", AT), **more)


def gone(key: str, last: Json = None, **more: Any) -> ReadItem:
    image = None if last is None else wire(last)
    return ReadItem(wire({"id": {"S": key}}), None, AT, last_image=image, **more)


def route(name: str, asked: Json = None, form: EventFormat | None = None, **more: Any) -> Route:
    its_form = form or EventFormat(name, KEYS)
    its_filter = None if asked is None else read_filter(asked)
    return Route(name, its_form, PublishLimits(), KEYS, its_filter, name, **more)


def item_events(*routes: Route, names: tuple[str, ...] = ()) -> ItemEvents:
    return ItemEvents(routes, taking_part(routes, names, STREAM_ARN), RUN, Shapes())
