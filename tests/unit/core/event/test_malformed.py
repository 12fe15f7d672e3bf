from consumer.core.event.malformed import MalformedItem


def test_it_is_a_value_error_that_says_what_is_wrong() -> None:
    error = MalformedItem("attribute 'a': its S is not a string")
    assert isinstance(error, ValueError)
    assert str(error) == "attribute 'a': its S is not a string"
