"""What every DeadLetterQueue does: SQS, and the twins of the unit tests and of the simulation."""

from collections.abc import AsyncIterator

import pytest

from consumer.errors import Retryable
from tests.conformance.ports.letter_queues import LetterQueue, letter_queue


@pytest.fixture(params=["twin", "simulation", "ministack"])
async def queue(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[LetterQueue]:
    async with letter_queue(request, use_aws) as found:
        yield found


async def sequences(queue: LetterQueue) -> list[int]:
    return sorted(letter.sequence or 0 for letter in await queue.stored())


async def test_no_letters_are_none_accepted(queue: LetterQueue) -> None:
    assert list(await queue.port.send([])) == []
    assert await queue.stored() == []


@pytest.mark.parametrize("count", [1, 10])
async def test_up_to_ten_letters_are_accepted_whole(queue: LetterQueue, count: int) -> None:
    letters = queue.letters(*[True] * count)
    assert list(await queue.port.send(letters)) == [True] * count
    stored = sorted(await queue.stored(), key=lambda letter: letter.sequence or 0)
    assert stored == letters


async def test_of_each_letter_it_is_told_whether_it_was_accepted(queue: LetterQueue) -> None:
    taken = [True, False, True, True, False]
    letters = queue.letters(*taken)
    assert list(await queue.port.send(letters)) == taken
    accepted = [letter.sequence for letter, take in zip(letters, taken, strict=True) if take]
    assert await sequences(queue) == accepted


async def test_a_call_that_does_not_arrive_is_retryable(queue: LetterQueue) -> None:
    letters = queue.letters(True, True)
    queue.unreachable()
    with pytest.raises(Retryable):
        await queue.port.send(letters)
    assert await queue.stored() == []


async def test_a_lost_answer_is_retryable_though_the_letters_are_there(queue: LetterQueue) -> None:
    letters = queue.letters(True, True)
    queue.loses_answers()
    with pytest.raises(Retryable):
        await queue.port.send(letters)
    assert await sequences(queue) == [letter.sequence for letter in letters]


@pytest.mark.parametrize("queue", ["ministack"], indirect=True)
async def test_what_sqs_refused_as_too_long_is_shortened_the_next_time(queue: LetterQueue) -> None:
    letters = queue.letters(False)
    assert list(await queue.port.send(letters)) == [False]
    assert list(await queue.port.send(letters)) == [True]
    (stored,) = await queue.stored()
    assert stored.truncated == ("patch",)
