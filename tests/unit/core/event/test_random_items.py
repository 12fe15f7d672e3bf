"""Random items, many more than hypothesis makes, in shapes that come again."""

import pytest

from consumer.core.event.items import plain_gaps
from tests.reference.fuzz import Difference, Fuzz


def compare(fuzz: Fuzz, records: int) -> None:
    for number in range(records):
        fuzz.compare(number)


def test_a_warm_memory_makes_of_random_items_what_the_walk_makes() -> None:
    fuzz = Fuzz(1)
    compare(fuzz, 2_000)
    assert fuzz.known > 300


def test_a_fault_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(plain_gaps._CONSTANTS, b'BOOL":false', b"true")
    fuzz = Fuzz(2)
    with pytest.raises(Difference):
        compare(fuzz, 1_000)
