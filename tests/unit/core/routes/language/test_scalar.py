import pytest

from consumer.core.routes.language.scalar import ALL_KINDS, Kind, is_number


@pytest.mark.parametrize(
    ("value", "number"),
    [(7, True), (7.5, True), (True, False), ("7", False), (None, False)],
)
def test_a_boolean_is_no_number(value: object, number: bool) -> None:
    assert is_number(value) is number


def test_all_kinds_are_all() -> None:
    assert set(Kind) == ALL_KINDS
