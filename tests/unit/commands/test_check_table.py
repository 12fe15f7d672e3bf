"""The table of `consumer check`: its words."""

import pytest

from consumer.commands.check_table import counted, failure
from consumer.core.preflight.check_result import CheckResult, Severity
from consumer.errors import Misconfigured


@pytest.mark.parametrize(
    ("things", "words"), [((), "0 workers"), ((1,), "1 worker"), ((1, 2), "2 workers")]
)
def test_one_is_no_plural(things: tuple[int, ...], words: str) -> None:
    assert counted(things, "worker") == words


def test_what_is_not_set_is_to_be_set() -> None:
    error = Misconfigured("AWS_REGION: not set, and no profile names a region; wanted one")
    found = failure("AWS", error)
    result = "AWS_REGION: not set, and no profile names a region"
    assert found == CheckResult("AWS", Severity.WRONG, result, "set AWS_REGION")
