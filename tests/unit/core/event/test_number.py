import pytest

from consumer.core.event.malformed import MalformedItem
from consumer.core.event.number import by_value, number


@pytest.mark.parametrize(
    "digits",
    [
        b"0", b"7", b"-7", b"0.5", b"-0.50", b"100", b"1.0", b"0.0", b"1E+2", b"1e-130",
        b"9.99E125",
        b"12345678901234567890123456789012345678.0",
        b"0.12345678901234567890123456789012345678",
        b"999999999999999999", b"-999999999999999999",
        b"9223372036854775807", b"-9223372036854775808",
        b"123456789012345678901234567890e0",
    ],
)  # fmt: skip
def test_a_number_keeps_every_digit(digits: bytes) -> None:
    assert number(digits) == digits


@pytest.mark.parametrize(
    "digits",
    [b"9223372036854775808", b"-9223372036854775809", b"9" * 38, b"-" + b"9" * 38, b"1" * 5000],
)
def test_an_integer_beyond_64_bit_becomes_a_string(digits: bytes) -> None:
    assert number(digits) == b'"' + digits + b'"'


@pytest.mark.parametrize(
    "digits",
    [
        b"", b"+1", b".5", b"-.5", b"5.", b"01", b"-01", b"00.5", b"NaN", b"Infinity", b"-", b"1e",
        b"1_0", b" 1", b"1 ", b"0x1", b"1e400", b"-1E999", b"1e99999", b"1.5.2", b"1..5",
        "\N{ARABIC-INDIC DIGIT ONE}".encode(),
    ],
)  # fmt: skip
def test_what_is_no_json_number_is_malformed(digits: bytes) -> None:
    with pytest.raises(MalformedItem):
        number(digits)


def test_numbers_sort_by_value_and_equal_ones_by_text() -> None:
    digits = [b"10", b"9", b"1.0", b"1", b"-2E+3", b"1e-2"]
    assert sorted(digits, key=by_value) == [b"-2E+3", b"1e-2", b"1", b"1.0", b"9", b"10"]
