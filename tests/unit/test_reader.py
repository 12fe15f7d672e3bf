"""The reference reader against random lives of one item, and against readers that break a rule.

Each broken reader lacks one rule of docs/readers.md. It must end with something else than the
table in some of the same histories: else these would not show what the rule is for.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import inf
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.reference import reader
from tests.reference.histories import (
    DAY,
    KEY,
    NO_SEQUENCE,
    START,
    Life,
    Weaver,
    stamp,
    wrong,
)
from tests.reference.reader import Event, Item, Kept, LastByArrival, Place, Reader, Said

LIVES = 400
MORE = 2000
"""Histories in which a broken reader must go wrong: fewer of them show the finer rules."""

Make = Callable[[Weaver], Life]


def plain() -> Reader:
    return Reader(("id",))


def repaired() -> Reader:
    return Reader(("id",), repaired=True)


def coarse(chance: Random) -> Weaver:
    return Weaver(chance, cut=60)


# -- random lives


@pytest.mark.parametrize("make", [Weaver.ordinary, Weaver.late, Weaver.swept_meanwhile])
@given(chance=st.integers(0).map(Random))
def test_nothing_is_lost_and_every_reader_ends_with_the_table(make: Make, chance: Random) -> None:
    life = make(Weaver(chance))
    assert life.read_by(plain()) == life.item
    assert life.read_by(repaired()) == life.item


@pytest.mark.parametrize("make", [Weaver.repaired, Weaver.swept])
@given(chance=st.integers(0).map(Random))
def test_a_reader_that_is_repaired_ends_with_the_table(make: Make, chance: Random) -> None:
    life = make(Weaver(chance))
    assert life.read_by(repaired()) == life.item


@pytest.mark.parametrize("make", [Weaver.ordinary, Weaver.late, Weaver.repaired])
def test_times_may_be_cut_to_the_minute(make: Make) -> None:
    assert wrong(make, lambda: Reader(("id",), repaired=True, cut=60), LIVES, coarse) == []


@pytest.mark.parametrize(
    "make", [Weaver.ordinary, Weaver.late, Weaver.repaired, Weaver.swept, Weaver.swept_meanwhile]
)
def test_the_same_lives_without_hypothesis(make: Make) -> None:
    assert wrong(make, repaired, LIVES) == []


# -- readers that lack a rule


class ComparesSequencesAlone(Reader):
    def _rank(self, place: Place) -> tuple[str, str]:
        return "", place[1]


class TakesNoStreamForTheLowest(Reader):
    def _rank(self, place: Place) -> tuple[str, str]:
        return place[0] or "", place[1]


class DropsByEid(Reader):
    """And takes whatever else comes."""

    def __init__(self, keys: Sequence[str]) -> None:
        super().__init__(keys)
        self._eids: set[str] = set()

    def take(self, event: Event, now: float) -> None:
        eid = repr(event)
        if eid not in self._eids:
            self._eids.add(eid)
            said = reader.said_by(event, self._keys)
            self._apply(said, said.place, 0.0, now)


class ForgetsTombstonesAfterADay(Reader):
    def forget(self, now: float) -> None:
        super().forget(now + reader.TOMBSTONE_SECONDS - DAY)


class ForgetsTombstonesAtOnce(Reader):
    def forget(self, now: float) -> None:
        super().forget(now + reader.TOMBSTONE_SECONDS)


class AppliesPatches(Reader):
    def take(self, event: Event, now: float) -> None:
        kept = self.kept.get(KEY)
        patch = event["data"].get("patch", ())
        if patch and kept is not None and kept.item is not None:
            change: Mapping[str, Any] = {"change": event["data"]["change"]}
            told = {step["path"][1:]: step["value"] for step in patch}
            event = {**event, "data": {**kept.item, **told, **change}}
        super().take(event, now)


class NeverHoldsBack(Reader):
    def _is_in(self, said: Said, kept: Kept) -> bool:
        return False


class IgnoresWhatWasMadeSince(Reader):
    def _repairs(self, said: Said, kept: Kept) -> bool:
        return super()._repairs(said, replace(kept, made=0.0))


class IgnoresWhatWasReadSince(Reader):
    def _repairs(self, said: Said, kept: Kept) -> bool:
        return super()._repairs(said, replace(kept, read_at=0.0))


class ComparesWithoutCutting(Reader):
    def _floor(self, time: float) -> float:
        return time


class NeverSweeps(Reader):
    def sweep(self, snapshot: str, start: float, now: float) -> None:
        pass


class SweepsWhatIsNew(Reader):
    def sweep(self, snapshot: str, start: float, now: float) -> None:
        super().sweep(snapshot, inf, now)


class SweepsToTheSecond(Reader):
    def sweep(self, snapshot: str, start: float, now: float) -> None:
        super().sweep(snapshot, start + reader.CLOCKS_DIFFER + self._cut, now)


SIX: Mapping[str, Any] = {"repaired": True}
BROKEN: Sequence[tuple[type[Reader], Mapping[str, Any], Make, int]] = (
    (ComparesSequencesAlone, {}, Weaver.ordinary, LIVES),
    (TakesNoStreamForTheLowest, {}, Weaver.ordinary, LIVES),
    (DropsByEid, {}, Weaver.ordinary, LIVES),
    (LastByArrival, {}, Weaver.ordinary, LIVES),
    (ForgetsTombstonesAfterADay, {}, Weaver.ordinary, LIVES),
    (ForgetsTombstonesAtOnce, {}, Weaver.ordinary, LIVES),
    (AppliesPatches, {}, Weaver.ordinary, LIVES),
    (Reader, {}, Weaver.repaired, LIVES),  # it follows no rule 6
    (NeverHoldsBack, SIX, Weaver.repaired, LIVES),
    (IgnoresWhatWasMadeSince, SIX, Weaver.ordinary, LIVES),
    (IgnoresWhatWasReadSince, SIX, Weaver.repaired, MORE),
    (NeverSweeps, SIX, Weaver.swept, LIVES),
    (SweepsWhatIsNew, {}, Weaver.swept_meanwhile, LIVES),
    (SweepsToTheSecond, {}, Weaver.swept_meanwhile, MORE),
)


@pytest.mark.parametrize(("broken", "settings", "make", "lives"), BROKEN)
def test_without_a_rule_a_reader_goes_wrong(
    broken: type[Reader], settings: Mapping[str, Any], make: Make, lives: int
) -> None:
    assert wrong(make, lambda: broken(("id",), **settings), lives) != []


def test_without_cutting_a_reader_of_coarse_times_goes_wrong() -> None:
    def broken() -> Reader:
        return ComparesWithoutCutting(("id",), repaired=True, cut=60)

    assert wrong(Weaver.ordinary, broken, LIVES, coarse) != []


# -- whoever reads the table breaks a rule


def test_a_label_asked_for_after_the_read_harms_readers() -> None:
    assert wrong(Weaver.swept_meanwhile, plain, LIVES, partial(Weaver, labelled_late=True)) != []


def test_a_reading_without_a_sequence_has_no_place() -> None:
    with pytest.raises(KeyError, match="sequence"):
        wrong(Weaver.swept_meanwhile, plain, LIVES, partial(Weaver, unnumbered=True))


# -- rules by example


def event(
    operation: str, value: int, place: Place, at: float = 0.0, **change: object
) -> dict[str, Any]:
    stream, sequence = place
    told = {"sequence": sequence.zfill(40), **change}
    if stream is not None:
        told["stream"] = stream
    return {
        "metadata": {"occurred_at": stamp(START + at)},
        "data_op": operation,
        "data": {"id": KEY[0], "value": value, "change": told},
    }


def read(taker: Reader, *events: dict[str, Any], now: float = START) -> Any:
    for each in events:
        taker.take(each, now)
    item: Item = taker.items.get(KEY, {})
    return item.get("value")


def test_1_what_is_not_above_the_place_is_dropped() -> None:
    events = [event("C", 1, ("b", "5")), event("U", 2, ("b", "6")), event("C", 1, ("b", "5"))]
    assert read(plain(), *events) == 2
    assert read(plain(), *events[1:], event("U", 3, ("b", "6"))) == 2


def test_1_a_new_stream_is_above_whatever_its_numbers_are() -> None:
    assert read(plain(), event("U", 1, ("b", "900")), event("U", 2, ("c", "1"))) == 2
    assert read(plain(), event("U", 2, ("c", "1")), event("U", 1, ("b", "900"))) == 2


def test_2_a_tombstone_is_kept_as_long_as_a_letter_may_come() -> None:
    taker = plain()
    read(taker, event("C", 1, ("b", "5")), event("D", 1, ("b", "7")))
    taker.forget(START + 14.9 * DAY)
    assert read(taker, event("U", 2, ("b", "6"))) is None
    assert len(taker.kept) == 1
    taker.forget(START + 15 * DAY)
    assert taker.kept == {}


def test_2_a_tombstone_may_give_way() -> None:
    taker = plain()
    assert read(taker, event("D", 1, ("b", "5")), event("C", 2, ("b", "6"))) == 2
    taker.forget(START + 99 * DAY)
    assert read(taker) == 2


def test_3_an_item_lacks_what_its_patch_does_not_name() -> None:
    taker = plain()
    patched = event("U", 2, ("b", "6"))
    patched["data"]["patch"] = [{"op": "replace", "path": "/value", "value": 2}]
    read(taker, event("C", 1, ("b", "5")), patched)
    assert taker.items == {KEY: {"id": KEY[0], "value": 2}}


def test_4_a_reading_fills_what_is_not_known_and_replaces_what_an_older_stream_told() -> None:
    found = event("S", 9, ("b", NO_SEQUENCE))
    assert read(plain(), found) == 9
    assert read(plain(), event("U", 1, ("a", "900")), found) == 9
    assert read(plain(), event("U", 1, ("b", "1")), found) == 1
    assert read(plain(), found, event("U", 1, ("b", "1"))) == 1


def test_6_a_reading_repairs_what_is_older() -> None:
    found = event("S", 9, ("b", NO_SEQUENCE), at=50.0, read_at=stamp(START + 50.7))
    gone = event("D", 9, ("b", NO_SEQUENCE), at=50.0, read_at=stamp(START + 50.7))
    before, same, after = (event("U", at, ("b", str(at)), at=at) for at in (49, 50, 51))
    assert read(plain(), before, found) == 49
    assert read(repaired(), before, found) == 9
    assert read(repaired(), before, gone) is None
    assert read(repaired(), same, found) == 50
    assert read(repaired(), after, found) == 51
    assert read(repaired(), before, found, same) == 50
    assert read(repaired(), found, before) == 9
    assert read(plain(), found, before) == 49


def test_6_what_is_held_back_raises_the_place() -> None:
    found = event("S", 9, ("b", NO_SEQUENCE), at=50.0, read_at=stamp(START + 50.7))
    taker = repaired()
    read(taker, found, event("U", 1, ("b", "7"), at=40.0))
    assert taker.kept[KEY].place == ("b", "7".zfill(40))
    assert read(taker, event("U", 2, ("b", "6"), at=60.0)) == 9


def test_6_an_older_reading_never_replaces_a_newer_one() -> None:
    known = event("U", 1, ("b", "1"), at=1.0)
    newer = event("S", 9, ("b", NO_SEQUENCE), at=50.0, read_at=stamp(START + 50.7))
    older = event("S", 8, ("b", NO_SEQUENCE), at=40.0, read_at=stamp(START + 40.7))
    assert read(repaired(), known, newer, older) == 9
    assert read(repaired(), known, older, newer) == 9
    of_a_new_stream = event("S", 8, ("c", NO_SEQUENCE), at=40.0, read_at=stamp(START + 40.7))
    assert read(repaired(), known, newer, of_a_new_stream) == 9


def test_7_what_a_snapshot_did_not_find_is_removed_and_stays_a_tombstone() -> None:
    taker = plain()
    read(taker, event("U", 1, ("b", "5"), at=40.0))
    taker.sweep("s", START + 41.9, START + 99.0)
    assert read(taker) == 1
    taker.sweep("s", START + 42.1, START + 99.0)
    assert read(taker, event("U", 1, ("b", "5"), at=40.0)) is None
    assert read(taker, event("C", 2, ("b", "6"), at=60.0)) == 2


def test_7_what_a_snapshot_found_stays() -> None:
    taker = plain()
    known = event("U", 1, ("b", "5"), at=40.0)
    read(taker, known, event("S", 1, ("b", NO_SEQUENCE), at=80.0, snapshot="s"))
    taker.sweep("another", START + 42.0, START + 99.0)
    assert read(taker) == 1
    taker.sweep("s", START + 70.0, START + 99.0)
    assert read(taker) == 1


def test_7_what_was_read_during_a_snapshot_stays() -> None:
    taker = repaired()
    found = event("S", 9, ("b", NO_SEQUENCE), at=80.0, read_at=stamp(START + 80.7))
    read(taker, event("U", 1, ("b", "5"), at=40.0), found)
    taker.sweep("s", START + 70.0, START + 99.0)
    assert read(taker) == 9


def test_an_event_without_a_stream_counts_as_one_of_the_first_that_was_seen() -> None:
    old, new = event("U", 1, (None, "5")), event("U", 2, ("b", "6"))
    rolled_back = event("U", 3, (None, "7"))
    assert read(plain(), old, new, rolled_back) == 3
    assert read(plain(), new, old) == 2
    assert read(plain(), rolled_back, old, new) == 3
    assert read(plain(), new, event("U", 4, ("c", "1")), rolled_back) == 4


def test_who_keeps_the_last_by_arrival_is_hurt_by_a_reading() -> None:
    found = event("S", 9, ("b", NO_SEQUENCE))
    assert read(LastByArrival(("id",)), event("U", 1, ("b", "5")), found) == 9
