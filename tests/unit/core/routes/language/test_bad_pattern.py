from consumer.core.routes.language.bad_pattern import BadPattern, Doubt


def test_an_error_says_where_and_why() -> None:
    error = BadPattern("a.b", "it is empty")
    assert (error.place, error.reason, str(error)) == ("a.b", "it is empty", "a.b: it is empty")


def test_an_error_of_the_whole_says_why() -> None:
    assert str(BadPattern("", "it is empty")) == "it is empty"


def test_equal_doubts_are_one() -> None:
    assert len({Doubt("a", "b"), Doubt("a", "b"), Doubt("a", "c")}) == 2
