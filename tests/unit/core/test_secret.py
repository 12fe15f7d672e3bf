"""What counts as a secret."""

import pytest

from consumer.core.secret import secret_word


@pytest.mark.parametrize("text", ["word", " word\n", "\tword \r\n"])
def test_white_space_around_it_is_not_part_of_it(text: str) -> None:
    assert secret_word(text) == "word"


@pytest.mark.parametrize(
    "text", ["", " \n", "two words", "cut\nin two", "a\0b", "a\x7f", "é", "\xa0a"]
)
def test_what_no_header_can_carry_is_none(text: str) -> None:
    assert secret_word(text) is None
