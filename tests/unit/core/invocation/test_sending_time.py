"""How long an invocation sends, waits, and when it answers."""

from math import inf

import pytest

from consumer.core.invocation.sending_time import (
    Next,
    Patience,
    SendingTime,
    missing_seconds,
    next_step,
)


def times(patience: float = 1_000) -> tuple[Patience, SendingTime, SendingTime]:
    kept = Patience(patience, 0)
    return kept, SendingTime(120, 40, kept), SendingTime(120, 20, kept)


def test_a_request_starts_only_while_its_time_and_some_more_is_left() -> None:
    _, events, letters = times()
    assert events.until == 75
    assert events.holds(75, 0)
    assert not events.holds(75.1, 0)
    assert letters.holds(95, 0)
    assert not letters.holds(95.1, 0)
    assert not events.holds(0, 1)


def test_patience_ends_both_and_is_renewed() -> None:
    patience, events, letters = times(patience=20)
    assert events.holds(20, 0)
    assert not events.holds(20.1, 0)
    assert not letters.holds(20.1, 0)
    patience.settled(20)
    assert events.until == letters.until == patience.ends_at == 40


@pytest.mark.parametrize(
    ("now", "left", "busy", "letters", "step"),
    [
        (0, False, False, 0, Next.ANSWER),
        (0, False, True, 0, Next.ANSWER),
        (75, True, False, 0, Next.SEND),
        (76, True, False, 0, Next.ANSWER),
        (76, True, True, 0, Next.AWAIT),
        (76, True, False, 1, Next.SEND),
        (96, True, False, 1, Next.ANSWER),
        (96, True, True, 1, Next.AWAIT),
        (117.9, True, True, 1, Next.AWAIT),
        (118, True, True, 1, Next.ANSWER),
    ],
)
def test_what_is_next(now: float, left: bool, busy: bool, letters: int, step: Next) -> None:
    _, events, letter = times()
    found = next_step(now, left=left, busy=busy, letters=letters, events=events, letter=letter)
    assert found is step


@pytest.mark.parametrize(
    ("remaining", "missing"),
    [(3.0, 47.0), (49.0, 1.0), (49.001, 0.0), (50.0, 0.0), (120.0, 0.0), (inf, 0.0)],
)
def test_a_time_limit_of_the_function_that_is_too_short(remaining: float, missing: float) -> None:
    assert missing_seconds(remaining, 40) == missing
