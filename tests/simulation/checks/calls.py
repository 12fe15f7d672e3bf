"""Which calls of each worker were answered, and which fail in a row, as the twins see it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from consumer.core.leases.lease import StreamRow
from consumer.errors import Retryable


class Calls:
    """`failures` counts the calls for records that failed in a row, by worker and shard."""

    def __init__(self) -> None:
        self._answered: set[tuple[str, str]] = set()
        self._shown: set[tuple[str, str]] = set()
        self.failures: Counter[tuple[str, str]] = Counter()

    def answered(self, worker: str, call: str) -> None:
        """An answer is being processed."""
        self._answered.add((worker, call))

    def was_answered(self, worker: str, call: str) -> bool:
        return (worker, call) in self._answered

    def show(self, worker: str, rows: Iterable[StreamRow]) -> None:
        """An answer with these rows is being processed."""
        self._shown.update((worker, row.key) for row in rows if row.unreadable is None)

    def was_shown(self, worker: str, stream_key: str) -> bool:
        """Whether the worker has ever been given a row of the stream that can be read."""
        return (worker, stream_key) in self._shown

    def begin_anew(self, worker: str, shard_id: str) -> None:
        """The worker takes the shard, or goes on from another place, or leaves it."""
        self.failures.pop((worker, shard_id), None)

    @contextmanager
    def reading(self, worker: str, shard_id: str) -> Iterator[None]:
        """A call for records; whatever is an answer about the shard ends the row."""
        try:
            yield
        except Retryable:
            self.failures[worker, shard_id] += 1
            raise
        except Exception:
            self.begin_anew(worker, shard_id)
            raise
        self.begin_anew(worker, shard_id)
