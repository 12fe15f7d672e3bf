"""Whole numbers in the answers of AWS: ASCII digits, and nothing else that Python takes for one."""

from __future__ import annotations

from consumer.core.leases.checkpoint import sequence_of
from consumer.errors import Retryable


def whole_number(text: object) -> int:
    """Return the number that an answer has as text. Raise Retryable if it is none."""
    number = sequence_of(str(text))
    if number is None:
        raise Retryable("an answer with a number that is none", "malformed_answer")
    return number
