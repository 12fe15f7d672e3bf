"""Filters of several routes, asked together: each part of a record is read once for all of them.

A filter is asked only if it can match: those that want one of some texts in the same attribute are
found by the text that stands there, so that fifty routes cost hardly more than three.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from consumer.core.event.malformed import MalformedItem
from consumer.core.routes.filters.candidates import candidates_of
from consumer.core.routes.filters.question import Answer, Question, Unanswered
from consumer.core.routes.filters.record_reader import RecordReader
from consumer.core.routes.filters.view import Decision

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from consumer.core.routes.filters.lambda_filter import Filter
    from consumer.core.stream.record import StreamRecord


Taken = tuple[int, Answer]
"""The number of a filter among those asked, and what it says; never NOT_TAKEN."""

_NOT_TAKEN = Decision.NOT_TAKEN


class FilterSet:
    """Filters in their order, compiled for a table with these key attributes."""

    def __init__(self, filters: Sequence[Filter], key_names: Iterable[str]) -> None:
        keys = tuple(key_names)
        questions = [Question(each, keys) for each in filters]
        self._reader = RecordReader(place for each in questions for place in each.places())
        self._answers = [each.compiled(self._reader) for each in questions]
        self._candidates = candidates_of(questions, self._reader)
        self._alone = [FilterSet([each], keys) for each in filters] if len(filters) > 1 else []

    def taken(self, record: StreamRecord, stream_arn: str) -> list[Taken]:
        """Return the filters that take a record or cannot be answered, in their order."""
        try:
            parts = self._reader.read(record, stream_arn)
        except MalformedItem as error:
            return self._one_by_one(record, stream_arn, str(error))
        found: list[Taken] = []
        for number in self._candidates(parts):
            answer = self._answers[number](record, parts)
            if answer is not _NOT_TAKEN:
                found.append((number, answer))
        return found

    def _one_by_one(self, record: StreamRecord, stream_arn: str, detail: str) -> list[Taken]:
        """Ask each filter for itself: what one names may be readable, and of another not."""
        if not self._alone:
            return [(0, Unanswered(detail))]
        return [
            (number, answer)
            for number, alone in enumerate(self._alone)
            for _, answer in alone.taken(record, stream_arn)
        ]
