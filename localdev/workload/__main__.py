"""Insert, update and delete items of a table, until SIGTERM or as many changes as asked.

The AWS_* variables name the endpoint. Prints how many changes were written, again and again.
"""

import argparse
import os
import signal
import time
from random import Random
from types import FrameType

from localdev.workload.order import KEY, Orders
from localdev.workload.shop import KEYS, Shop
from localdev.workload.table import OrderTable


class Workload:
    """Writes at a steady rate."""

    def __init__(self, table: OrderTable, items: Orders | Shop, rate: float, report: float) -> None:
        self._table = table
        self._items = items
        self._rate = rate  # changes/s
        self._report_seconds = report
        self._stopped = False
        self._written = 0

    def stop(self, _: int, __: FrameType | None) -> None:
        """End after the current change. It is the handler of signals."""
        self._stopped = True

    def run(self, changes: int) -> None:
        """Write a number of changes (0: until stopped)."""
        started = time.monotonic()
        reported = 0.0
        while not self._stopped and not (changes and self._written == changes):
            self._table.write(self._items.change())
            self._written += 1
            now = time.monotonic()
            if now - reported > self._report_seconds:
                self._report()
                reported = now
            time.sleep(max(0.0, started + self._written / self._rate - now))
        self._report()

    def _report(self) -> None:
        print(self._written, "changes written", flush=True)


def parser() -> argparse.ArgumentParser:
    """Return the command line."""
    made = argparse.ArgumentParser(prog="python -m localdev.workload", description=__doc__)
    made.add_argument("--table", default="orders")
    made.add_argument("--rate", type=float, default=60.0, help="changes a second (default 60)")
    made.add_argument(
        "--changes", type=int, default=0, help="number of changes; 0: until SIGTERM (default)"
    )
    made.add_argument(
        "--report", type=float, default=0.5, help="seconds between two reports (default 0.5)"
    )
    made.add_argument(
        "--orders", type=int, default=300, help="most open orders at a time (default 300)"
    )
    made.add_argument("--prefix", default="o", help="prefix of the order ids (default o)")
    made.add_argument(
        "--shop",
        action="store_true",
        help="orders, lines, customers and locks in one table, as for routes.yaml",
    )
    return made


def main() -> None:
    """Read the command line and write."""
    asked = parser().parse_args()
    table = OrderTable(asked.table, os.environ, KEYS if asked.shop else (KEY,))
    items = (Shop if asked.shop else Orders)(Random(), asked.orders, asked.prefix)
    workload = Workload(table, items, asked.rate, asked.report)
    signal.signal(signal.SIGTERM, workload.stop)
    signal.signal(signal.SIGINT, workload.stop)
    workload.run(asked.changes)


if __name__ == "__main__":
    main()
