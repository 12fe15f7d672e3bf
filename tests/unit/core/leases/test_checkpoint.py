"""Where a shard stands: a sequence number, or a word."""

import pytest

from consumer.core.leases.checkpoint import LATEST, SHARD_END, TRIM_HORIZON, sequence_of


@pytest.mark.parametrize("word", [TRIM_HORIZON, LATEST, SHARD_END, "", "\u00b2", "\u0663", "-1"])
def test_a_word_is_no_sequence_number(word: str) -> None:
    assert sequence_of(word) is None


def test_a_sequence_number_is_an_integer_whatever_its_length() -> None:
    assert sequence_of("000000000000000000021") == 21
    assert sequence_of("9" * 40) == 10**40 - 1
