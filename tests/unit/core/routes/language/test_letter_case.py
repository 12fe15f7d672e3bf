import pytest

from consumer.core.routes.language.letter_case import (
    ends_ignoring_case,
    equals_ignoring_case,
    starts_ignoring_case,
)


@pytest.mark.parametrize(
    ("text", "value", "equal"),
    [
        ("paid", "PaId", True),
        ("paid", "paid ", False),
        ("", "", True),
        ("a.c", "abc", False),
        ("ß", "SS", True),
        ("ß", "ss", False),
        ("STRASSE", "Straße", False),
        ("\u03a3", "\u03c3", True),
        ("\u03a3", "\u03c2", False),
        ("\n", "\n", True),
        ("😀", "😀", False),  # for AWS's engine such a character is two question marks
        ("😀", "??", True),
    ],
)
def test_equals(text: str, value: str, equal: bool) -> None:
    assert equals_ignoring_case(text)(value) is equal


@pytest.mark.parametrize(
    ("text", "value", "starts"),
    [("pa", "PAID", True), ("aid", "PAID", False), ("", "x", True), ("ß", "SSx", True)],
)
def test_starts(text: str, value: str, starts: bool) -> None:
    assert starts_ignoring_case(text)(value) is starts


@pytest.mark.parametrize(
    ("text", "value", "ends"),
    [
        ("id", "PAID", True),
        ("pa", "PAID", False),
        ("", "x", True),
        ("ß", "xSS", True),
        ("paid", "id", False),
        ("d", "PAID\n", False),
    ],
)
def test_ends(text: str, value: str, ends: bool) -> None:
    assert ends_ignoring_case(text)(value) is ends
