import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import defstruct

from consumer.core.event.member_names import (
    MEMBER_NAMES,
    NAME_BYTES,
    NAMES_BYTES,
    Spellings,
    is_no_field,
    pointer_step,
)
from tests.reference.memory import peak_of


@given(st.text())
def test_a_name_is_spelled_as_the_key_of_an_object(name: str) -> None:
    assert json.loads(b"{" + MEMBER_NAMES[name] + b"1}") == {name: 1}


@pytest.mark.parametrize(
    ("name", "step"),
    [
        ("amount", b"/amount"),
        ("", b"/"),
        ("a/b", b"/a~1b"),
        ("~", b"/~0"),
        ("~1", b"/~01"),
        ('"\\', rb"/\"\\"),
        ("\x00", rb"/\u0000"),
        ("😀", "/😀".encode()),
    ],
)
def test_a_name_is_a_step_of_a_json_pointer(name: str, step: bytes) -> None:
    assert pointer_step(name) == step


@pytest.mark.parametrize("size", [1, 30, 1_000, 20_000])
def test_names_take_a_limited_memory(size: int) -> None:
    names = Spellings(lambda name: name.encode())

    def use() -> None:
        for index in range(6 * NAMES_BYTES // (2 * size + 200)):
            name = f"{index:06}" + "x" * size
            assert names[name] == name.encode()
            if index % 100 == 0:  # the text is that of an attribute: another object each time
                assert names["é" + "".join(name)] == ("é" + name).encode()

    assert peak_of(use) < 1.25 * NAMES_BYTES


def test_a_name_is_spelled_once_until_there_are_too_many() -> None:
    asked: list[str] = []

    def spell(name: str) -> bytes:
        asked.append(name)
        return name.encode()

    names = Spellings(spell)
    assert names["first"] == names["first"] == b"first"
    assert asked == ["first"]
    for index in range(NAMES_BYTES // 100):
        assert names[str(index)] == b"%d" % index
    asked.clear()
    assert names["first"] == b"first"
    assert asked == ["first"]


def test_a_long_name_is_not_remembered() -> None:
    names = Spellings(str.encode)
    assert names["short"] == b"short"
    assert names["x" * NAME_BYTES] == b"x" * NAME_BYTES
    assert list(names) == ["short"]


def test_some_names_are_no_field_of_a_struct() -> None:
    for name in ('a"b', "a\\b", "a\nb"):
        assert is_no_field(name)
        with pytest.raises(ValueError, match="Renamed field names"):
            defstruct("Keys", [("a0", int)], rename={"a0": name})
    for name in ("a", "é", "a b", ""):
        assert not is_no_field(name)
        defstruct("Keys", [("a0", int)], rename={"a0": name})
