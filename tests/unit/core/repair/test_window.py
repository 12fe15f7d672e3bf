"""Of which time exports are made."""

from itertools import pairwise

import pytest

from consumer.core.repair.window import Reach, Restorable, Window, reach_of

T = 1_793_500_000
HOUR = 3600
ALL = Restorable(0.0, T + 99 * HOUR)


def test_a_window_begins_two_seconds_before_and_ends_five_minutes_after() -> None:
    assert reach_of(T, T + HOUR, ALL) == Reach((Window(T - 2, T + HOUR + 300),))


def test_parts_of_seconds_widen_its_end_and_never_its_beginning() -> None:
    (window,) = reach_of(T + 0.25, T + HOUR + 0.25, ALL).windows
    assert window == Window(T - 1, T + HOUR + 301)


@pytest.mark.parametrize("seconds", [0, 60, 597, -50])
def test_a_short_one_is_widened_at_its_end_to_a_quarter_of_an_hour(seconds: int) -> None:
    assert reach_of(T, T + seconds, ALL).windows == (Window(T - 2, T + 898),)


def test_beyond_that_it_is_as_long_as_the_gap_and_what_is_added() -> None:
    assert reach_of(T, T + 599, ALL).windows == (Window(T - 2, T + 899),)


def test_a_day_is_one_window_and_a_second_more_makes_two() -> None:
    day = 24 * HOUR
    assert reach_of(T, T + day - 302, ALL).windows == (Window(T - 2, T - 2 + day),)
    two = reach_of(T, T + day - 301, ALL).windows
    assert two == (Window(T - 2, T - 2 + day // 2), Window(T - 2 + day // 2, T - 1 + day))


def test_windows_of_a_long_gap_follow_each_other_without_a_hole() -> None:
    windows = reach_of(T, T + 80 * HOUR + 7, ALL).windows
    assert len(windows) == 4
    assert (windows[0].begin, windows[-1].end) == (T - 2, T + 80 * HOUR + 307)
    assert all(a.end == b.begin for a, b in pairwise(windows))
    assert all(900 <= each.end - each.begin <= 24 * HOUR for each in windows)


def test_what_recovery_has_forgotten_is_out_of_reach() -> None:
    late = Restorable(T + 100.5, T + 9 * HOUR)
    assert reach_of(T, T + HOUR, late) == Reach((Window(T + 101, T + HOUR + 300),), T + 100.5)
    assert reach_of(T, T + 100, late) == Reach((), T + 100)
    assert reach_of(T, T + 101, late) == Reach((Window(T + 101, T + 1001),), T + 100.5)


def test_the_two_seconds_before_a_gap_are_no_loss() -> None:
    assert reach_of(T, T + HOUR, Restorable(T - 1, T + 9 * HOUR)) == Reach(
        (Window(T - 1, T + HOUR + 300),)
    )


def test_the_end_is_what_recovery_must_have_reached() -> None:
    assert reach_of(T, T + 80 * HOUR, ALL).end == T + 80 * HOUR + 300
    assert Reach(()).end == 0
