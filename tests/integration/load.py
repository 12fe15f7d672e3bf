"""Writes changes at a steady pace until stopped."""

import threading
import time
from typing import Self

from tests.integration.cluster import Cluster

FILLS_PER_SECOND = 5


class Load:
    """`per_second` changes, round and round over `keys` keys, so that all shards get some."""

    def __init__(self, cluster: Cluster, per_second: int = 100, keys: int = 400) -> None:
        self._cluster = cluster
        self._records = max(1, per_second // FILLS_PER_SECOND)
        self._keys = keys
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="load")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        due = time.monotonic()
        first = 0
        while not self._stop.wait(due - time.monotonic()):
            self._cluster.fill(self._records, keys=self._records, first=first)
            first = (first + self._records) % self._keys
            due = max(due + 1 / FILLS_PER_SECOND, time.monotonic())
