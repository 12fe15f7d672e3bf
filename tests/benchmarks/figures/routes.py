"""Figure (s): what routes make of a stream, against the same records without routes.

From the bytes of a page to the events, on one core. All cases of a table are measured in turns, so
that what disturbs a run disturbs each of them.

python -m tests.benchmarks.figures.routes
"""

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from consumer.core.event.event import EventFormat
from consumer.core.event.items.shapes import Shapes
from consumer.core.event.selection.attribute_path import read_path
from consumer.core.event.selection.selection import Selection
from consumer.core.limits import PublishLimits
from consumer.core.routes.assembler import Assembler
from consumer.core.routes.filters.lambda_filter import read_filter
from consumer.core.routes.route import Route
from consumer.core.stream.page import decode_page
from consumer.runtime.shard.intake import BATCH
from tests.benchmarks.records import STREAM_ARN, page, record

Json = dict[str, Any]

PAGES = 4
RECORDS = 500
ROUNDS = 9  # the best of them counts: the others were disturbed
LINES = 20

ALL = "no routes"
TWENTY = f"a list of {LINES} maps, no routes"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a case takes, and what it makes."""

    microseconds: float  # a record
    events: float  # a record

    @property
    def per_second(self) -> float:
        """Events a second."""
        return self.events * 1e6 / self.microseconds


RATIOS: Mapping[str, tuple[str, float]] = {
    "three routes by prefix of the key": (ALL, 0.9),
    "filtered on one attribute, all match": (ALL, 0.85),
    "a route with exclusions": (ALL, 0.85),
    "two routes a record": (ALL, 0.9),
    "50 routes by value": ("3 routes by value", 0.8),
    f"exclusion inside a list of {LINES} maps": (TWENTY, 0.7),
}
"""What is promised: events a second of a case against those of another one, at least."""

NOBODY = "records that no route takes"


def _route(asked: Json | None = None, *hidden: str, name: str = "order-store.order") -> Route:
    selection = Selection(exclude=tuple(map(read_path, hidden))) if hidden else None
    form = EventFormat(name, ("order_id",), selection=selection)
    takes = None if asked is None else read_filter(asked)
    route = Route(name, form, PublishLimits(), ("order_id",), takes, name)
    return replace(route, skip_unchanged=True) if hidden else route


def _new(name: str, *wanted: object) -> Json:
    return {"dynamodb": {"NewImage": {name: {"S": [*wanted]}}}}


def _by_value(count: int) -> list[Route]:
    """Routes by the value of one attribute, of which the last takes all records."""
    names = [*map(str, range(count - 1)), "web-shop"]
    return [_route(_new("channel", each), name=f"type-{each}") for each in names]


ORDERS: Mapping[str, Sequence[Route]] = {
    ALL: [_route()],
    "three routes by prefix of the key": [
        _route({"item": {"order_id": {"S": [{"prefix": prefix}]}}}, name=prefix)
        for prefix in ("c-", "l-", "o-")
    ],
    "filtered on one attribute, all match": [_route(_new("channel", "web-shop"))],
    "filtered, one in ten matches": [_route(_new("order_id", {"suffix": "7"}))],
    "a route with exclusions": [_route(None, "customer_id", "note", "address.street")],
    "exclusion inside a list": [_route(None, "lines.price")],
    "two routes a record": [_route(), _route(None, "customer_id", "note", name="public")],
    NOBODY: [_route(_new("channel", "pos"))],
    "3 routes by value": _by_value(3),
    "50 routes by value": _by_value(50),
}
LONG: Mapping[str, Sequence[Route]] = {
    TWENTY: [_route()],
    f"exclusion inside a list of {LINES} maps": [_route(None, "lines.price")],
    f"{LINES} maps, many of which change, no routes": [_route()],
    f"exclusion inside {LINES} maps, many of which change": [_route(None, "lines.price")],
}


def measure_routes() -> dict[str, Cost]:
    """The cost of each case."""
    orders = [page(number * RECORDS, RECORDS) for number in range(PAGES)]
    one, many = (
        [_long_page(number, changed) for number in range(2)] for changed in (1, LINES // 2)
    )
    costs = _measure({name: (routes, orders) for name, routes in ORDERS.items()})
    return costs | _measure(
        {name: (routes, many if "many" in name else one) for name, routes in LONG.items()}
    )


def _measure(cases: Mapping[str, tuple[Sequence[Route], list[bytes]]]) -> dict[str, Cost]:
    makers = {
        name: (Assembler(routes, STREAM_ARN, Shapes()), bodies)
        for name, (routes, bodies) in cases.items()
    }
    best: dict[str, Cost] = {}
    for _ in range(ROUNDS):
        for name, (maker, bodies) in makers.items():
            found = _cost(maker, bodies)
            before = best.get(name, found)
            best[name] = min(before, found, key=lambda cost: cost.microseconds)
    return best


def _cost(maker: Assembler, bodies: Sequence[bytes]) -> Cost:
    events = records = 0
    started = time.process_time()
    for body in bodies:
        found = decode_page(body).records
        for first in range(0, len(found), BATCH):
            some = found[first : first + BATCH]
            takers = [*map(maker.takers, some)]
            events += sum(map(len, maker.events_of_each(some, takers)))
        records += len(found)
    seconds = time.process_time() - started
    return Cost(seconds * 1e6 / records, events / records)


def _long_page(number: int, changed: int) -> bytes:
    """A page of orders with many lines, `changed` of which change."""
    made = []
    for index in range(RECORDS // 5):
        wire = record(number * RECORDS + index)
        for name in ("OldImage", "NewImage"):
            image = wire["dynamodb"][name]
            still, moved = image["lines"]["L"]
            image["lines"]["L"] = [still] * (LINES - changed) + [moved] * changed
        made.append(wire)
    return json.dumps({"Records": made}, separators=(",", ":")).encode()


def main() -> None:
    """Print the figures."""
    for name, cost in measure_routes().items():
        print(f"{name:48} {cost.microseconds:8.2f} µs {cost.per_second:9,.0f} events/s")


if __name__ == "__main__":
    main()
