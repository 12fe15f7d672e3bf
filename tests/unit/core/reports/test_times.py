"""Times for people."""

import pytest

from consumer.core.reports.times import in_words, iso, zoned_time


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


def test_a_time_is_that_of_utc_to_the_second() -> None:
    assert iso(1793525400.9) == "2026-11-01T09:30:00Z"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-01T09:30:00Z", 1793525400.0),
        ("2026-11-01T10:30:00.500+01:00", 1793525400.5),
        ("2026-11-01T09:30:00", None),
        ("yesterday", None),
        ("", None),
    ],
)
def test_a_time_needs_its_zone(text: str, at: float | None) -> None:
    assert zoned_time(text) == at
