import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.event.member_names import NAMES_REMEMBERED, MemberNames, pointer_step


@given(st.text())
def test_a_name_is_spelled_as_the_key_of_an_object(name: str) -> None:
    assert json.loads(b"{" + MemberNames()[name] + b"1}") == {name: 1}


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


def test_names_are_forgotten_when_there_are_too_many() -> None:
    names = MemberNames()
    for index in range(NAMES_REMEMBERED):
        assert names[str(index)] == b'"%d":' % index
    assert len(names) == NAMES_REMEMBERED
    assert names["one more"] == b'"one more":'
    assert len(names) == 1
