"""Failures in a row."""

from consumer.core.failure import Failure, failed_again


def test_failures_in_a_row_count_from_the_first_and_show_the_newest() -> None:
    first = failed_again(None, "throttled", "ThrottlingException: slow down", 10.0)
    assert first == Failure("throttled", "ThrottlingException: slow down", 1, 10.0)
    second = failed_again(first, "access_denied", "AccessDeniedException: no", 12.0)
    assert second == Failure("access_denied", "AccessDeniedException: no", 2, 10.0)
    assert second.brief == "access_denied, 2\N{MULTIPLICATION SIGN}"
    assert second.words == "access_denied, 2\N{MULTIPLICATION SIGN}: AccessDeniedException: no"
