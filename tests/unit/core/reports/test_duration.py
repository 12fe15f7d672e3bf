"""Lengths of time for people."""

import pytest

from consumer.core.reports.duration import in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 s"),
        (0.4, "0 s"),
        (59.4, "59 s"),
        (60.0, "1.0 min"),
        (599.0, "10 min"),
        (1_500.0, "25 min"),
        (3_600.0, "1.0 h"),
        (80_000.0, "22 h"),
        (200_000.0, "2.3 d"),
        (2_000_000.0, "23 d"),
    ],
)
def test_the_largest_unit_is_taken(seconds: float, words: str) -> None:
    assert in_words(seconds) == words
