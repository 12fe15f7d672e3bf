import re

import pytest

from localdev.demo.judge import Coordinate, Hidden, Outcome, Verdict, hidden, judge, mistold

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
    verdict = judge(changes, events, letters)
    outcome = Outcome({"a.b": verdict}, verdict.changes, 1, failed)
    assert outcome.good == good
    assert re.match(sentence, outcome.sentence)


def two(a: Verdict, b: Verdict, hidden: Hidden | None = None) -> Outcome:
    return Outcome({"a": a, "b": b}, 9, 1, failed=False, hidden=hidden)


def test_each_event_type_has_a_verdict_of_its_own() -> None:
    good = judge([A1], [A1], set())
    assert two(good, good).sentence == (
        "GOOD: every change is in each event type that takes it, in order per key,"
        " and nothing is lost"
    )
    outcome = two(good, judge([A1, A2], [A2, B1], set(), [A2]))
    assert not outcome.good
    assert outcome.sentence == (
        "BAD: 1 lost in b, 1 without a change in b, 1 with another operation in b"
    )


def test_an_event_type_of_which_nothing_was_written_is_not_judged() -> None:
    outcome = two(judge([A1], [A1], set()), judge([], [], set()))
    assert not outcome.good
    assert outcome.sentence == "NO VERDICT: no change of b was written"


def test_the_operation_is_that_of_the_change() -> None:
    told = {A1: "C", A2: "D left"}
    assert mistold(told, [(A1, "C"), (A2, "D left"), (B1, "U")]) == []
    assert mistold(told, [(A1, "C entered"), (A2, "D")]) == [A1, A2]


def test_what_is_hidden_is_looked_for_in_every_text() -> None:
    assert hidden(["4711", "4712"], ["of 4713", "none"]) == Hidden(2, 0)
    found = hidden(["4711", "4712"], ["of 4711 and 4712", "none", '{"a": "4712"}'])
    assert found == Hidden(2, 2)
    good = judge([A1], [A1], set())
    assert two(good, good, Hidden(2, 0)).good
    shown = two(good, good, found)
    assert not shown.good
    assert shown.sentence == "BAD: 2 show what is hidden"
    nothing = two(good, good, Hidden(0, 0))
    assert not nothing.good
    assert nothing.sentence == "NO VERDICT: nothing that is to be hidden was written"
