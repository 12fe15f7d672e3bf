import pytest

from consumer.core.routes.language.numeral import NUMERAL_CHARACTERS, Numeral


@pytest.mark.parametrize(
    ("text", "double"),
    [
        ("7", 7.0),
        ("512.0", 512.0),
        ("5.12e2", 512.0),
        ("-0", 0.0),
        ("0.1", 0.1),
        ("1e308", 1e308),
        ("12345678901234567890123", None),  # a double holds another number
        ("0.1000000000000000055", None),
        ("1e400", None),
        ("-1e400", None),
        ("1e-400", None),
        ("1e999999999999999999999999", None),
        ("1e-999999999999999999999999", None),
        ("nan", None),  # what YAML's .nan and .inf become
        ("inf", None),
        ("1" + "0" * (NUMERAL_CHARACTERS - 1), None),
        ("0." + "0" * NUMERAL_CHARACTERS, None),  # not read at all
    ],
)
def test_a_number_is_compared_if_a_double_is_exactly_this(text: str, double: float | None) -> None:
    assert Numeral(text).double == double
