"""Numbers of a filter: doubles, as AWS compares them."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from math import isinf

NUMERAL_CHARACTERS = 1000
"""The longest number that is read; AWS's parser refuses longer ones."""


class Numeral:
    """A number as it is written."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def double(self) -> float | None:
        """Its value, or None: AWS compares no number that is not the shortest text of a double."""
        if len(self.text) > NUMERAL_CHARACTERS:
            return None
        double = float(self.text)
        try:
            same = not isinf(double) and Decimal(repr(double)) == Decimal(self.text)
        except InvalidOperation:  # an exponent that no computer has
            return None
        return double if same else None
