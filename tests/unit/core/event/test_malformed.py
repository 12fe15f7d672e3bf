import pytest

from consumer.core.event.malformed import MalformedItem, ReservedAttribute, check_names


def test_it_is_a_value_error_that_says_what_is_wrong() -> None:
    error = MalformedItem("attribute 'a': its S is not a string")
    assert isinstance(error, ValueError)
    assert str(error) == "attribute 'a': its S is not a string"


def test_a_name_that_is_taken_is_a_kind_of_it() -> None:
    assert isinstance(ReservedAttribute("attribute 'patch'"), MalformedItem)


def test_the_first_name_that_the_event_needs_itself_is_named() -> None:
    check_names({"a", "b"}, ("patch", "change"))
    with pytest.raises(ReservedAttribute, match="attribute 'patch': the event itself needs this"):
        check_names({"a", "change", "patch"}, ("patch", "change"))
