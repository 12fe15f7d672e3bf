"""A Nakadi that stores whatever comes, and afterwards says what it was, or refuses everything.

GET /control/count: {"events", "first_at": seconds of the monotonic clock or null}.
GET /control/report: {"events", "distinct", "out_of_order", "requests"}; each key has an order.
GET /control/arrivals: of each request its time on that clock, and shard and number of its events.

python -m tests.benchmarks.stubs.sink [down]
"""

import re
import sys
import time

import orjson

from tests.benchmarks.prepared_stream import KEYS, place
from tests.benchmarks.stubs.http_stub import Request, Response, serve

_SEQUENCE = re.compile(rb'"sequence": ?"(\d{40})"')


class Sink:
    def __init__(self, *, down: bool) -> None:
        self._down = down
        self._requests: list[tuple[float, list[bytes]]] = []  # the sequence numbers of each
        self._events = 0
        self._first_at: float | None = None

    def answer(self, request: Request) -> Response:
        match request.path:
            case "/control/count":
                return _json({"events": self._events, "first_at": self._first_at})
            case "/control/arrivals":
                return _json(self._arrivals())
            case "/control/report":
                return _json(self._report())
        if self._down:
            return Response(status=503)
        if request.method == "POST":
            found, now = _SEQUENCE.findall(request.body), time.monotonic()
            self._requests.append((now, found))
            self._events += len(found)
            if self._first_at is None:
                self._first_at = now
        return Response()

    def _arrivals(self) -> list[tuple[float, list[tuple[int, int]]]]:
        return [(at, [place(int(digits)) for digits in found]) for at, found in self._requests]

    def _report(self) -> dict[str, int]:
        seen: set[tuple[int, int]] = set()
        newest: dict[tuple[int, int], int] = {}
        out_of_order = 0
        for _, found in self._requests:
            for digits in found:
                shard, number = place(int(digits))
                seen.add((shard, number))
                key = (shard, number % KEYS)
                out_of_order += number <= newest.get(key, -1)
                newest[key] = number
        return {
            "events": self._events,
            "distinct": len(seen),
            "out_of_order": out_of_order,
            "requests": len(self._requests),
        }


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), headers="content-type: application/json\r\n")


if __name__ == "__main__":
    serve(Sink(down="down" in sys.argv).answer)
