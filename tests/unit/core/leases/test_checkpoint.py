"""Where a shard stands: a sequence number, or a word."""

import pytest

from consumer.core.leases.checkpoint import (
    DIGITS,
    LATEST,
    SHARD_END,
    TRIM_HORIZON,
    UNREADABLE,
    is_checkpoint,
    sequence_of,
)


@pytest.mark.parametrize("word", [TRIM_HORIZON, LATEST, SHARD_END, "", "\u00b2", "\u0663", "-1"])
def test_a_word_is_no_sequence_number(word: str) -> None:
    assert sequence_of(word) is None


def test_a_sequence_number_is_an_integer_whatever_its_length() -> None:
    assert sequence_of("000000000000000000021") == 21
    assert sequence_of("9" * 40) == 10**40 - 1


@pytest.mark.parametrize("text", [TRIM_HORIZON, LATEST, SHARD_END, "21", "9" * DIGITS])
def test_what_this_service_writes_is_a_checkpoint(text: str) -> None:
    assert is_checkpoint(text)


@pytest.mark.parametrize(
    "text", ["", UNREADABLE, "latest", "1\u00b2", "\u0663", "9" * (DIGITS + 1)]
)
def test_what_another_hand_writes_is_none(text: str) -> None:
    assert not is_checkpoint(text)
