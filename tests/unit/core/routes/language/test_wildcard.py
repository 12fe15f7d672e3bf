import re
import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.core.routes.language.wildcard import read_wildcard

parts = st.lists(st.sampled_from(("a", "b", "*", "\\*", "\\\\")), max_size=8)
patterns = parts.filter(lambda parts: ("*", "*") not in pairwise(parts)).map("".join)


@given(patterns, st.text("ab*\\", max_size=9))
def test_a_wildcard_matches_as_a_regular_expression_does(pattern: str, text: str) -> None:
    parts = re.findall(r"\\(.)|(\*)|(.)", pattern)
    expression = "".join(".*" if star else re.escape(one or other) for one, star, other in parts)
    assert read_wildcard(pattern).matches(text) is (re.fullmatch(expression, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*", "\n", True),
        ("a*a", "a", False),
        ("a*a", "aa", True),
        ("*ab*ab*", "abab", True),
        ("*ab*ab*", "abb", False),
        ("*a*a", "aba", True),
        ("x*b*", "xab", True),
        ("\\**", "*x", True),
        ("\\**", "x*", False),
    ],
)
def test_examples(pattern: str, text: str, matches: bool) -> None:
    assert read_wildcard(pattern).matches(text) is matches


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("a**", "two asterisks in a row, at character 2"),
        ("a\\", "a backslash before neither"),
        ("\\x", "a backslash before neither"),
    ],
)
def test_what_aws_refuses_is_refused(pattern: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_wildcard(pattern)


def test_many_asterisks_take_linear_time() -> None:
    def seconds(length: int) -> float:
        text = "a" * length
        best = 1e9
        for _ in range(20):
            started = time.process_time()
            assert not wildcard.matches(text)
            best = min(best, time.process_time() - started)
        return best

    wildcard = read_wildcard("*ab" * 30 + "*c*")
    assert seconds(400_000) <= 4 * seconds(200_000) + 0.001
    wildcard = read_wildcard("a*" * 100 + "b")
    assert seconds(400_000) < 0.01
