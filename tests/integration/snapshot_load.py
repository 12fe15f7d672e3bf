"""A table that is written to while a snapshot of it is made, and readers of its event types."""

import random
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any, Self

from localdev.workload.aws_client import aws_client
from tests.integration.republished import Desk, Json, item, key
from tests.reference.reader import Reader

BATCH = 25
"""Most items of a BatchWriteItem request."""

BATCHES_A_SECOND = 20.0
KINDS = ("ORDER", "ORDER", "LOCK")


class Writer:
    """Makes, changes and deletes items, `rate` a second, until it is stopped.

    `at` of an item is when it was written, in epoch seconds; `text` is its length in bytes.
    """

    def __init__(self, desk: Desk, keys: int, rate: float, text: int = 200) -> None:
        self._text = {"S": "x" * text}
        self._table = desk.table
        self._dynamodb = aws_client("dynamodb", desk.environ)
        self._keys = keys
        self._rate = rate
        self._draw = random.Random(20)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._write)
        self.written = 0

    def fill(self) -> None:
        """Write each item for the first time."""
        items = [self._item(number) for number in range(self._keys)]
        for first in range(0, len(items), BATCH):
            self._send([{"PutRequest": {"Item": each}} for each in items[first : first + BATCH]])
        self.written = 0

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._stop.set()
        self._thread.join()
        self._dynamodb.close()

    def _write(self) -> None:
        began = time.monotonic()
        while not self._stop.wait(max(0.0, began + self.written / self._rate - time.monotonic())):
            self._send([*self._changes()])

    def _changes(self) -> Iterator[Json]:
        """What one request writes: no item twice."""
        most = min(BATCH, max(1, round(self._rate / BATCHES_A_SECOND)))
        for number in self._draw.sample(range(self._keys + self._keys // 20), most):
            if self._draw.random() < 0.1:
                yield {"DeleteRequest": {"Key": self._key(number)}}
            else:
                yield {"PutRequest": {"Item": self._item(number)}}

    def _send(self, changes: list[Json]) -> None:
        answer = self._dynamodb.batch_write_item(RequestItems={self._table: changes})
        assert not answer["UnprocessedItems"]
        self.written += len(changes)

    def _key(self, number: int) -> Json:
        return key(f"o-{number % 997}", number)

    def _item(self, number: int) -> Json:
        kind = self._draw.choice(KINDS)
        return item(f"o-{number % 997}", number, kind, at=number_of(time.time()), text=self._text)


def number_of(value: float) -> Json:
    """A number of up to 3 decimals, as an attribute."""
    return {"N": f"{value:.3f}"}


def table_of(desk: Desk) -> list[Json]:
    """All items of the table."""
    pages = desk.dynamodb.get_paginator("scan").paginate(TableName=desk.table, ConsistentRead=True)
    return [each for page in pages for each in page["Items"]]


def shown(found: Mapping[str, Json]) -> Json:
    """An item as an event has it."""
    return {
        name: float(value["N"]) if "N" in value else value["S"] for name, value in found.items()
    }


def of_all(items: list[Json]) -> dict[Any, Json]:
    """What a reader of the route for all has of these items."""
    return {(each["pk"], each["sk"]): each for each in map(shown, items)}


def of_orders(items: list[Json]) -> dict[Any, Json]:
    """What a reader of the view has: orders only, without `card`, and `sk` is called `line`."""
    found = {}
    for each in map(shown, items):
        if each["kind"] == "ORDER":
            seen = {name: value for name, value in each.items() if name not in ("card", "sk")}
            found[each["pk"], each["sk"]] = {**seen, "line": each["sk"]}
    return found


def read(events: list[Json], *keys: str) -> dict[Any, Json]:
    """What a reader has after these events, if it knew nothing before."""
    reader = Reader(keys)
    for event in events:
        reader.take(event, 0.0)
    return {each: dict(found) for each, found in reader.items.items()}
