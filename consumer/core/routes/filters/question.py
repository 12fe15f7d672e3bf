"""A filter as it is asked of the records of one table."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from consumer.core.routes.filters.branch import Check, compiled
from consumer.core.routes.filters.place import Place, Source
from consumer.core.routes.filters.record_reader import Parts, RecordReader
from consumer.core.routes.filters.view import Decision, decide
from consumer.core.stream.record import StreamRecord

if TYPE_CHECKING:
    from consumer.core.routes.filters.lambda_filter import Filter


class Unanswered(Struct, frozen=True):
    """The record cannot be read well enough for a filter. `detail` names the place, no value."""

    detail: str


Answer = Decision | Unanswered

Ask = Callable[[StreamRecord, Parts], Answer]


class Question:
    """The ways in which a filter matches, for the item after a change and for the one before."""

    def __init__(self, asked: Filter, key_names: Collection[str]) -> None:
        self.items = asked.items(key_names)
        self.after = asked.ways(self.items[0])
        self.is_view = asked.crosses(key_names)
        self.before = asked.ways(self.items[1]) if self.is_view else self.after

    @property
    def possible(self) -> bool:
        """Whether there is any way in which it can match."""
        return bool(self.after)

    def places(self) -> Iterator[Place]:
        """Yield all places that have to be read."""
        for ways in (self.after, self.before):
            for checks in ways:
                for check in checks:
                    yield check.place

    def compiled(self, reader: RecordReader) -> Ask:
        """Return the question, to be asked of a record and what the reader has read of it."""
        after = _any_way(self.after, reader)
        if not self.is_view:
            taken, not_taken = Decision.TAKEN, Decision.NOT_TAKEN
            return lambda _, parts: taken if after(parts) else not_taken
        before = _any_way(self.before, reader)

        def ask(record: StreamRecord, parts: Parts) -> Answer:
            has_new, has_old = record.event_name != "REMOVE", record.event_name != "INSERT"
            if has_new and record.new_image is None:
                return Unanswered(f"it has no {Source.NEW_IMAGE.value}")
            if has_old and record.old_image is None:
                return Unanswered(f"it has no {Source.OLD_IMAGE.value}")
            return decide(
                record.event_name, new=has_new and after(parts), old=has_old and before(parts)
            )

        return ask


def _any_way(ways: Sequence[tuple[Check, ...]], reader: RecordReader) -> Callable[[Parts], bool]:
    tests = [compiled(checks, reader) for checks in ways]
    if len(tests) == 1:
        return tests[0]

    def any_holds(parts: Parts) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as a test
            if test(parts):
                return True
        return False

    return any_holds
