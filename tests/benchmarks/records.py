"""Records for benchmarks: a table of orders whose changes look like those of a real one.

A record has about 1.9 KB: two images of about 800 bytes, 14 attributes (strings, numbers, a map, a
list of maps, a string set, a boolean), three leaves of it changed, one in seven with escapes.
"""

import json
import random
from typing import Any

Json = dict[str, Any]

STREAM_ARN = (
    "arn:aws:dynamodb:eu-central-1:000000000000:table/orders/stream/2026-11-01T00:00:00.000"
)
_FIRST_SEQUENCE = 400000000000000499660041
CREATED_AT = 1793525400
_STATUS = ("OPEN", "PAID", "PACKED", "SHIPPED", "DELIVERED")
_NOTE = "Please leave it at the door, ring twice, and call the neighbour if nobody opens"
_CITIES = ("Berlin", "Dortmund", "Zürich", "Dublin", "Helsinki")


def record(number: int, keys: int = 100_000, *, seed: int = 1) -> Json:
    """The MODIFY with this `number` in its stream, of one of `keys` items."""
    chance = random.Random(seed * 1_000_003 + number)
    sequence = str(_FIRST_SEQUENCE + number * 7)
    order_id = f"o-{number % keys:09d}"
    old = _order(order_id, chance, has_escapes=number % 7 == 0)
    new = json.loads(json.dumps(old))
    new["status"]["S"] = chance.choice([s for s in _STATUS if s != old["status"]["S"]])
    new["version"]["N"] = str(int(old["version"]["N"]) + 1)
    new["lines"]["L"][1]["M"]["quantity"]["N"] = str(chance.randint(10, 99))
    return {
        "eventID": f"{chance.getrandbits(128):032x}",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "eu-central-1",
        "dynamodb": {
            "ApproximateCreationDateTime": CREATED_AT + number // 1000,
            "Keys": {"order_id": {"S": order_id}},
            "NewImage": new,
            "OldImage": old,
            "SequenceNumber": sequence,
            "SizeBytes": 1100,
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def page(
    first: int, records: int, *, next_iterator: str | None = "next", keys: int = 100_000
) -> bytes:
    """The body of a GetRecords answer, compact as the service sends it."""
    body: Json = {"Records": [record(number, keys) for number in range(first, first + records)]}
    if next_iterator is not None:
        body["NextShardIterator"] = next_iterator
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()


def pages(count: int, records: int = 500) -> list[bytes]:
    """`count` pages of `records` each, as full as the service's limit of 1 MB allows."""
    return [page(number * records, records) for number in range(count)]


def _order(order_id: str, chance: random.Random, *, has_escapes: bool) -> Json:
    note = (
        'Please leave it "at the door",\nring twice \\ and call the neighbour if nobody opens'
        if has_escapes
        else _NOTE
    )
    return {
        "order_id": {"S": order_id},
        "customer_id": {"S": f"c-{chance.getrandbits(64):016x}"},
        "status": {"S": chance.choice(_STATUS)},
        "currency": {"S": "EUR"},
        "amount": {"N": f"{chance.randint(1, 99999)}.{chance.randint(1, 99):02d}"},
        "discount": {"N": f"0.{chance.randint(1, 99):02d}"},
        "version": {"N": str(chance.randint(1, 900))},
        "created_at": {"S": "2026-11-01T09:30:00.123Z"},
        "is_gift": {"BOOL": chance.random() < 0.5},
        "note": {"S": note},
        "tags": {"SS": ["express", "fragile", "returning-customer"]},
        "address": {
            "M": {
                "street": {"S": f"Example Street {chance.randint(1, 200)}"},
                "city": {"S": chance.choice(_CITIES)},
                "zip": {"S": f"{chance.randint(10000, 99999)}"},
                "country": {"S": "DE"},
            }
        },
        "lines": {
            "L": [
                {
                    "M": {
                        "sku": {"S": f"sku-{chance.randint(0, 999999):06d}"},
                        "quantity": {"N": str(chance.randint(1, 9))},
                        "price": {"N": f"{chance.randint(1, 999)}.{chance.randint(1, 99):02d}"},
                    }
                }
                for _ in range(2)
            ]
        },
        "channel": {"S": "web-shop"},
    }
