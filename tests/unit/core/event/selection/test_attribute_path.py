"""Paths as settings name them."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from consumer.core.event.selection.attribute_path import AttributePath, BadPath, read_path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("a", ("a",)),
        ("customer.iban", ("customer", "iban")),
        ("/a.b", ("a.b",)),
        ("/a~1b/~0/", ("a/b", "~", "")),
        ("a/b.c", ("a/b", "c")),
        ("a~2", ("a~2",)),
    ],
)
def test_what_a_text_names(text: str, names: tuple[str, ...]) -> None:
    assert read_path(text) == AttributePath(names)


@pytest.mark.parametrize("text", ["", ".", "a.", ".a", "a..b", "/", "//a", "/a~2", "/a~"])
def test_what_names_nothing(text: str) -> None:
    with pytest.raises(BadPath, match=r"name|Pointer"):
        read_path(text)


@example(["a.b", "c/d", "~"])
@example(["/a"])
@example(["a", ""])
@given(st.lists(st.text(max_size=4), min_size=1, max_size=3).filter(lambda names: bool(names[0])))
def test_a_path_is_written_as_it_is_read(names: list[str]) -> None:
    path = AttributePath(tuple(names))
    assert read_path(str(path)) == path
