"""A branch of a pattern, compiled: what all must hold, in the places where the values are.

A path outside of lists holds or not by itself. Conditions inside one list must hold in the same
element. As in AWS's engine, paths are looked at in the order of their names: that a value is absent
is asked of the element that the paths before have chosen, or of all elements if none did.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import UNSET, Struct

from consumer.core.routes.filters.image_reader import Indices, leaves
from consumer.core.routes.filters.place import Place, Source, place_of
from consumer.core.routes.filters.record_reader import NUMBER_OF, Parts, RecordReader

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from consumer.core.routes.language.pattern import Branch, Leaf
    from consumer.core.routes.language.scalar import Kind, Test


class Check(Struct, frozen=True):
    """What one path says of one place: a value passes the test, or, if `absent`, none is there."""

    path: str
    place: Place
    test: Test | None  # None if no value can pass
    absent: bool
    equals: frozenset[str]  # the only texts that pass; empty if others may


def checks_of(branch: Branch, item: Source) -> tuple[Check, ...] | None:
    """Return the checks that must all hold; None if they cannot.

    `item` is the image that the paths of our own mean.
    """
    checks = []
    for path, leaf in branch.items():
        place = place_of(path)
        absent = any(expression.absent for expression in leaf)
        test = None if place is None else any_of(leaf, place.kind)
        if test is None and not absent:
            return None
        if place is not None:  # else nothing is ever there, and that is asked for
            if place.source is Source.ITEM:
                place = place._replace(source=item)
            checks.append(Check(path, place, test, absent, texts_of(leaf)))
    return tuple(checks)


def any_of(leaf: Leaf, kind: Kind) -> Test | None:
    """Return the test whether any expression matches a scalar of a kind; None if none can."""
    useful = [expression for expression in leaf if kind in expression.can_match]
    texts = frozenset(expression.equals for expression in useful if expression.equals is not None)
    tests = [expression.test for expression in useful if expression.equals is None]
    if texts:
        tests.insert(0, texts.__contains__)
    if len(tests) < 2:
        return tests[0] if tests else None
    return lambda scalar: any(test(scalar) for test in tests)


def texts_of(leaf: Leaf) -> frozenset[str]:
    """Return the texts that a value must be one of; none if something else may match."""
    texts = [expression.equals for expression in leaf]
    return frozenset(text for text in texts if text is not None and None not in texts)


def compiled(checks: Iterable[Check], reader: RecordReader) -> Callable[[Parts], bool]:
    """Return the test whether all of these checks hold of what was read of a record."""
    plain: list[Callable[[Parts], bool]] = []
    in_lists: dict[object, list[Check]] = {}
    for check in sorted(checks, key=_java_order):
        if check.place.lists:
            in_lists.setdefault(check.place.lists[0], []).append(check)
        else:
            plain.append(_plain(check, reader))
    tests = (*plain, *(_in_list(inside, reader) for inside in in_lists.values()))
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        return lambda parts: first(parts) and second(parts)

    def all_hold(parts: Parts) -> bool:
        for test in tests:  # noqa: SIM110 - a generator costs as much as a test
            if not test(parts):
                return False
        return True

    return all_hold


def _java_order(check: Check) -> bytes:
    """Return a key for the order of Java's strings: by UTF-16 units."""
    path = check.path
    if path.startswith(f"{Source.ITEM.value}."):
        path = check.place.source.value + path.removeprefix(Source.ITEM.value)
    return path.encode("utf-16-be", "surrogatepass")


def _plain(check: Check, reader: RecordReader) -> Callable[[Parts], bool]:
    number, [get] = NUMBER_OF[check.place.source], reader.getters(check.place)
    absent, test = check.absent, check.test
    if check.place.is_set:

        def holds_of_set(parts: Parts) -> bool:
            texts = get(parts[number])
            if not isinstance(texts, list) or not texts:
                return absent
            return test is not None and any(test(text) for text in texts)

        return holds_of_set
    if test is None:
        return lambda parts: get(parts[number]) is UNSET
    if check.equals:
        return lambda parts: test(get(parts[number]))

    def holds(parts: Parts) -> bool:
        scalar = get(parts[number])
        return absent if scalar is UNSET else test(scalar)

    return holds


def _in_list(checks: Sequence[Check], reader: RecordReader) -> Callable[[Parts], bool]:
    """Return the test whether all checks inside one list hold, in order.

    A state is a choice of elements that fits all checks so far, kept only as far as the next check
    is inside the same lists. States are few, because paths with a list in common follow each other.
    """
    shared = [_common(one.place, other.place) for one, other in pairwise(checks)]
    steps = [
        (NUMBER_OF[check.place.source], reader.getters(check.place), check.test, check.absent, keep)
        for check, keep in zip(checks, [*shared, 0], strict=True)
    ]

    def all_hold(parts: Parts) -> bool:
        states: set[Indices] = {()}
        for number, get, test, absent, keep in steps:
            found = leaves(parts[number], get)
            lengths = {len(state) for state in states}
            after: set[Indices] = set()
            if test is not None:
                after = {
                    indices[:keep]
                    for scalar, indices in found
                    if any(indices[:length] in states for length in lengths) and test(scalar)
                }
            if absent:
                taken = {indices[:length] for _, indices in found for length in lengths}
                after |= {state[:keep] for state in states - taken}
            if not after:
                return False
            states = after
        return True

    return all_hold


def _common(one: Place, other: Place) -> int:
    """Return how many lists two places are both inside."""
    count = 0
    for mine, its in zip(one.lists, other.lists, strict=False):
        if mine != its:
            break
        count += 1
    return count
