"""A call that fails is made again: so long, with these pauses, and not where it is in vain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from consumer.errors import Retryable
from consumer.patience import HOPELESS, Patience
from tests.twins.virtual_time import HalfChance, VirtualClock, run

if TYPE_CHECKING:
    from collections.abc import Callable


class Line:
    """A call that fails `failures` times, then answers. `at` are the times of the calls."""

    def __init__(self, failures: int, reason: str = "timeout") -> None:
        self.failures = failures
        self.reason = reason
        self.at: list[float] = []

    def asked(self, again: Callable[[Retryable], None] | None = None, **terms: Any) -> object:
        async def main() -> object:
            clock = VirtualClock()

            async def call() -> str:
                self.at.append(clock.now())
                if len(self.at) <= self.failures:
                    raise Retryable(f"failure {len(self.at)}", self.reason)
                return "answer"

            patience = Patience(clock, HalfChance(), first=1.0, longest=4.0, **terms)
            return await patience.answer(call, again)

        return run(main)


def test_the_pauses_double_up_to_the_longest() -> None:
    line = Line(5)
    assert line.asked() == "answer"
    assert line.at == [0.0, 0.5, 1.5, 3.5, 5.5, 7.5]


def test_the_last_of_the_tries_ends_it() -> None:
    line = Line(99)
    with pytest.raises(Retryable, match="failure 3"):
        line.asked(tries=3)
    assert Line(2).asked(tries=3) == "answer"


def test_the_first_failure_after_the_seconds_ends_it() -> None:
    line = Line(99)
    with pytest.raises(Retryable, match="failure 5"):
        line.asked(seconds=4.0)
    assert line.at[-1] == 5.5


@pytest.mark.parametrize("reason", HOPELESS)
def test_what_no_other_try_changes_ends_it_at_once(reason: str) -> None:
    line = Line(99, reason)
    told: list[Retryable] = []
    with pytest.raises(Retryable, match="failure 1"):
        line.asked(told.append)
    assert told == []


def test_what_is_made_again_is_told_before() -> None:
    told: list[str] = []
    assert Line(2).asked(lambda error: told.append(str(error))) == "answer"
    assert told == ["failure 1", "failure 2"]
