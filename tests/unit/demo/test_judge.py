import re

import pytest

from localdev.demo.judge import Coordinate, Outcome, Verdict, judge

A1, A2, A3 = (Coordinate("a", number) for number in (10, 200, 3000))
B1, B2 = (Coordinate("b", number) for number in (11, 201))
CHANGES = [A1, B1, A2, B2, A3]


def test_everything_once_and_in_order_is_good() -> None:
    verdict = judge(CHANGES, [A1, A2, B1, A3, B2], set())
    assert verdict == Verdict(5, 5, 0, (), 0, (), ())
    assert verdict.good


@pytest.mark.parametrize("missing", CHANGES)
def test_a_missing_event_is_lost(missing: Coordinate) -> None:
    verdict = judge(CHANGES, [change for change in CHANGES if change != missing], set())
    assert verdict.lost == (missing,)
    assert not verdict.good


def test_an_event_that_comes_after_a_later_one_of_its_key_is_out_of_order() -> None:
    verdict = judge(CHANGES, [B1, B2, A2, A1, A3], set())
    assert verdict.out_of_order == (A1,)
    assert not verdict.good


def test_sequences_are_compared_as_numbers() -> None:
    assert judge(CHANGES, CHANGES, set()).good
    assert str(A3.sequence) < "9"


def test_keys_may_pass_each_other() -> None:
    assert judge(CHANGES, [B1, B2, A1, A2, A3], set()).good


def test_what_is_delivered_again_is_a_duplicate_and_not_out_of_order() -> None:
    verdict = judge(CHANGES, [A1, A2, B1, A1, A2, A3, B2, B2], set())
    assert verdict.duplicated == 3
    assert verdict.good


def test_a_dead_letter_is_not_lost() -> None:
    verdict = judge(CHANGES, [A1, B1, B2, A3], {A2})
    assert verdict.good
    assert verdict.dead_letters == 1


def test_an_event_that_no_change_made_is_not_good() -> None:
    stranger = Coordinate("c", 1)
    verdict = judge(CHANGES, [*CHANGES, stranger], set())
    assert verdict.unknown == (stranger,)
    assert not verdict.good


@pytest.mark.parametrize(
    ("changes", "events", "letters", "failed", "good", "sentence"),
    [
        (CHANGES, CHANGES, set(), False, True, "GOOD: every change is in Nakadi, in order per key"),
        (CHANGES, CHANGES[:4], {A3}, False, True, "GOOD: .*, or a dead letter$"),
        (CHANGES, CHANGES[2:], set(), False, False, "BAD: 2 lost$"),
        (CHANGES, [B2, A2, A1, A3], set(), False, False, "BAD: 1 lost, 1 out of order$"),
        ([A1], [A1, B1], set(), True, False, "BAD: 1 without a change, a process failed"),
        (CHANGES, CHANGES, set(), True, False, "BAD: a process failed, see above$"),
        ([], [], set(), False, False, "NO VERDICT: no change was written$"),
    ],
)
def test_the_outcome_is_a_sentence(
    changes: list[Coordinate],
    events: list[Coordinate],
    letters: set[Coordinate],
    failed: bool,
    good: bool,
    sentence: str,
) -> None:
    outcome = Outcome(judge(changes, events, letters), 1, failed)
    assert outcome.good == good
    assert re.match(sentence, outcome.sentence)
