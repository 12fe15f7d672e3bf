"""The event of a record, the slow and obvious way: parse all of it, build all of it.

What the transcoder splices from text is built here from values. Numbers are kept as `Number`, so
that comparing two trees compares digits (1, 1.0 and true are three things).
"""

import json
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from consumer.core.event.event import EventFormat, Layout

Json = Any


@dataclass(frozen=True)
class Number:
    digits: str


class NotStrict(ValueError):
    """Nakadi would refuse the text, and all that is sent with it (nakadi.md, 400)."""


def parse_strictly(text: bytes) -> Json:
    """The value of strict JSON as Nakadi takes it; raises NotStrict."""

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        if len(dict(pairs)) != len(pairs):
            raise NotStrict("a key is given twice")
        return dict(pairs)

    def integer(digits: str) -> Number:
        if not -(2**63) <= int(digits) < 2**63:
            raise NotStrict(f"{digits} is beyond signed 64 bit")
        return Number(digits)

    def constant(name: str) -> Json:
        raise NotStrict(name)

    value = json.loads(
        text.decode(),
        object_pairs_hook=members,
        parse_int=integer,
        parse_float=Number,
        parse_constant=constant,
    )
    try:
        json.dumps(value, ensure_ascii=False, default=lambda number: number.digits).encode()
    except UnicodeEncodeError:
        raise NotStrict("half a surrogate pair") from None
    return value


def plain(attribute: dict[str, Json]) -> Json:
    """An attribute value as plain JSON."""
    ((kind, value),) = attribute.items()
    if kind in ("S", "B", "BOOL"):
        return value
    if kind == "N":
        return number(value)
    if kind == "NULL":
        return None
    if kind == "M":
        return {name: plain(child) for name, child in value.items()}
    if kind == "L":
        return [plain(child) for child in value]
    if kind in ("SS", "BS"):
        return sorted(value)
    if kind == "NS":
        return [number(digits) for digits in sorted(value, key=lambda d: (Decimal(d), d))]
    raise ValueError(kind)


def number(digits: str) -> Json:
    is_integer = not set(digits) & set(".eE")
    if is_integer and not -(2**63) <= int(digits) < 2**63:
        return digits
    return Number(digits)


def item_of(image: dict[str, Json]) -> dict[str, Json]:
    return {name: plain(attribute) for name, attribute in image.items()}


def event_of(
    record: dict[str, Json],
    event_format: EventFormat,
    stream_arn: str,
    crossing: str | None = None,
) -> dict[str, Json]:
    """The event of a good record, without its patch. `crossing` may be `entered` or `left`."""
    change = record["dynamodb"]
    op = {"INSERT": "C", "MODIFY": "U", "REMOVE": "D"}[record["eventName"]]
    op = {None: op, "entered": "C", "left": "D"}[crossing]
    image = change["NewImage"] if op != "D" else change.get("OldImage") or change["Keys"]
    identity = {name.lower(): value for name, value in (record.get("userIdentity") or {}).items()}
    place: dict[str, Json] = {
        "sequence": change["SequenceNumber"].rjust(40, "0"),
        "stream": stream_arn.partition("/stream/")[2],
    }
    if record["eventName"] == "REMOVE" and identity.get("principalid") == "dynamodb.amazonaws.com":
        place["ttl"] = True
    if crossing is not None:
        place[crossing] = True
    item = item_of(image)
    namespace = uuid.uuid5(uuid.NAMESPACE_URL, stream_arn)
    created_at = datetime.fromtimestamp(change["ApproximateCreationDateTime"], UTC)
    return {
        "metadata": {
            "eid": str(uuid.uuid5(namespace, record["eventID"])),
            "occurred_at": created_at.isoformat(timespec="seconds").replace("+00:00", "Z"),
        },
        "data_type": event_format.data_type,
        "data_op": op,
        "data": {
            **({"item": item} if event_format.layout is Layout.NESTED else item),
            event_format.change_field: place,
        },
    }
