"""Which of many filters may match a record: found by a text, not asked one after the other."""

from __future__ import annotations

from collections import Counter, defaultdict
from operator import itemgetter
from typing import TYPE_CHECKING, Final

from consumer.core.routes.filters.place import Place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from consumer.core.routes.filters.branch import Check
    from consumer.core.routes.filters.question import Question
    from consumer.core.routes.filters.record_reader import Parts, RecordReader

WORTH_IT: Final = 3
"""Fewer filters than this are asked in less time than a text is looked up."""

_Places = tuple[Place, Place]
"""One place in the item after a change and in the one before; twice the same, if it is no view."""


def candidates_of(
    questions: Sequence[Question], reader: RecordReader
) -> Callable[[Parts], Sequence[int]]:
    """Return what gives the numbers of the filters that may match, in their order.

    Filters that want certain texts in the place in which most of them do are found by these texts.
    """
    able = {number: dict(_texts(each)) for number, each in enumerate(questions) if each.possible}
    counts = Counter(places for found in able.values() for places in found)
    places, count = max(counts.items(), key=itemgetter(1), default=(None, 0))
    if places is None or count < WORTH_IT:
        numbers = tuple(able)
        return lambda _: numbers
    others = [number for number, found in able.items() if places not in found]
    by_text = defaultdict(set)
    for number, found in able.items():
        for text in found.get(places, ()):
            by_text[text].add(number)
    index: dict[object, tuple[int, ...]] = {
        text: tuple(sorted({*numbers, *others})) for text, numbers in by_text.items()
    }
    rest = tuple(others)
    after, before = map(reader.getter, places)
    if places[0] == places[1]:
        return lambda parts: index.get(after(parts), rest)

    def of_view(parts: Parts) -> Sequence[int]:
        new, old = index.get(after(parts), rest), index.get(before(parts), rest)
        return new if new == old else sorted({*new, *old})

    return of_view


def _texts(question: Question) -> Iterator[tuple[_Places, frozenset[str]]]:
    """Yield the places in which a filter matches certain texts only, and these texts."""
    after, before = _texts_of_ways(question.after), _texts_of_ways(question.before)
    new, old = question.items
    for place, texts in after.items():
        other = place._replace(source=old) if question.is_view and place.source is new else place
        if other in before:
            yield (place, other), texts | before[other]


def _texts_of_ways(ways: Sequence[tuple[Check, ...]]) -> dict[Place, frozenset[str]]:
    """Return, of the places in which every way wants certain texts, all of these texts."""
    found = [
        {
            check.place: check.equals
            for check in checks
            if check.equals and not check.place.lists and not check.place.is_set
        }
        for checks in ways
    ]
    return {
        place: frozenset().union(*(texts[place] for texts in found))
        for place in found[0]
        if all(place in texts for texts in found)
    }
