"""What became of a touch."""

from consumer.core.republish.touch_answer import CONFLICT, TouchAnswer, TouchOutcome


def test_reasons_are_words_of_the_file_of_refused_keys() -> None:
    assert TouchOutcome.TOO_LARGE.value == "too_large"
    assert CONFLICT == "conflict"
    assert TouchAnswer(TouchOutcome.GONE, 1.0) == TouchAnswer(TouchOutcome.GONE, 1.0)
