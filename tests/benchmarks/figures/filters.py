"""Figure (r): microseconds that filters cost a record, reading included.

python -m tests.benchmarks.figures.filters
"""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from consumer.core.routes.filters.filter_set import FilterSet
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.language.wildcard import read_wildcard
from consumer.core.stream.page import decode_page
from consumer.core.stream.record import StreamRecord
from tests.benchmarks.records import STREAM_ARN, page

Json = dict[str, Any]

RECORDS = 500
ROUNDS = 60  # the best of them counts: the others were disturbed
WILDCARD = "*ab" * 20 + "*c*"


def _new(wanted: Sequence[object]) -> Json:
    return {"dynamodb": {"NewImage": {"channel": {"S": [*wanted]}}}}


def _view(wanted: Sequence[object]) -> Json:
    return {"item": {"channel": {"S": [*wanted]}}}


def _key(wanted: object) -> Json:
    return {"item": {"order_id": {"S": [wanted]}}}


CASES: Mapping[str, Sequence[Json]] = {
    "one attribute, none match": [_new(["pos"])],
    "one attribute, all match": [_new(["web-shop"])],
    "key and attribute, one in ten": [
        {
            "dynamodb": {
                "NewImage": {"channel": {"S": ["web-shop"]}, "order_id": {"S": [{"suffix": "7"}]}}
            }
        }
    ],
    "both images": [
        {
            "dynamodb": {
                image: {"channel": {"S": ["web-shop"]}} for image in ("NewImage", "OldImage")
            }
        }
    ],
    "a view": [_view(["web-shop"])],
    "a list of maps": [
        {
            "item": {
                "lines": {
                    "L": {"M": {"sku": {"S": [{"prefix": "sku-0"}]}, "quantity": {"N": ["5"]}}}
                }
            }
        }
    ],
    "three by prefix of the key": [_key({"prefix": f"o-00000000{number}"}) for number in range(3)],
    "three by value": [_new([name]) for name in ("pos", "phone", "web-shop")],
    "fifty by value": [_new([name]) for name in (*map(str, range(49)), "web-shop")],
    "fifty views by value": [_view([name]) for name in (*map(str, range(49)), "web-shop")],
}
"""Filters that are asked together."""


def measure_filters() -> dict[str, float]:
    """Microseconds a record, by case."""
    records = [
        each for each in decode_page(page(0, RECORDS)).records if isinstance(each, StreamRecord)
    ]
    return {name: _cost(filters, records) for name, filters in CASES.items()}


def measure_wildcard(characters: int) -> float:
    """Milliseconds for a text that almost matches."""
    matches, text = read_wildcard(WILDCARD).matches, "aab" * (characters // 3)
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        matches(text)
        best = min(best, time.process_time() - started)
    return best * 1e3


def _cost(filters: Sequence[Json], records: Sequence[StreamRecord]) -> float:
    asked = FilterSet([read_filter(each) for each in filters], ("order_id",))
    best = float("inf")
    for _ in range(ROUNDS):
        started = time.process_time()
        for record in records:
            asked.taken(record, STREAM_ARN)
        best = min(best, time.process_time() - started)
    return best * 1e6 / len(records)


def main() -> None:
    """Print the figures."""
    for name, value in measure_filters().items():
        print(f"{name:32} {value:8.2f} µs")
    for characters in (200_000, 400_000):
        print(f"wildcard, {characters:,} characters {measure_wildcard(characters):13.3f} ms")


if __name__ == "__main__":
    main()
