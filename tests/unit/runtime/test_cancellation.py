"""A group that ends with its body: its tasks are cancelled, and a cancellation is not lost."""

import asyncio
from collections.abc import Coroutine

import pytest

from consumer.runtime.cancellation import ending_group


class Refused(Exception):
    pass


async def forever(ending: asyncio.Event) -> None:
    """Wait until cancelled, and then a little longer."""
    try:
        await asyncio.Event().wait()
    finally:
        ending.set()
        await asyncio.sleep(0.01)


async def fails() -> None:
    raise Refused


async def raises_refused(body: Coroutine[None, None, None]) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await body
    assert [type(error) for error in caught.value.exceptions] == [Refused]


async def group(ending: asyncio.Event, seen: list[str]) -> None:
    async with ending_group() as tasks:
        tasks.create_task(forever(ending))
        await asyncio.sleep(0)
        seen.append("body")
    seen.append("after")


async def test_tasks_are_cancelled_and_waited_for_when_the_body_ends() -> None:
    ending, seen = asyncio.Event(), list[str]()
    async with ending_group() as tasks:
        task = tasks.create_task(forever(ending))
        await asyncio.sleep(0)
    assert ending.is_set()
    assert task.cancelled()
    await group(asyncio.Event(), seen)
    assert seen == ["body", "after"]


async def test_a_cancellation_while_the_group_ends_is_raised() -> None:
    ending, seen = asyncio.Event(), list[str]()
    task = asyncio.get_running_loop().create_task(group(ending, seen))
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert seen == ["body"]


async def test_a_cancellation_of_the_body_is_raised() -> None:
    ending = asyncio.Event()

    async def body() -> None:
        async with ending_group() as tasks:
            tasks.create_task(forever(ending))
            await asyncio.Event().wait()

    task = asyncio.get_running_loop().create_task(body())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ending.is_set()


async def test_an_error_of_a_task_interrupts_the_body() -> None:
    async def body() -> None:
        async with ending_group() as tasks:
            tasks.create_task(fails())
            await asyncio.Event().wait()

    await raises_refused(body())


async def test_an_error_of_the_body_is_raised_after_its_tasks_have_ended() -> None:
    ending = asyncio.Event()

    async def body() -> None:
        async with ending_group() as tasks:
            tasks.create_task(forever(ending))
            await asyncio.sleep(0)
            raise Refused

    await raises_refused(body())
    assert ending.is_set()


async def test_an_error_of_a_task_that_is_cancelled_is_raised() -> None:
    async def fails_when_cancelled() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise Refused

    async def body() -> None:
        async with ending_group() as tasks:
            tasks.create_task(fails_when_cancelled())
            await asyncio.sleep(0)

    await raises_refused(body())


async def test_one_group_inside_another() -> None:
    outer_ending, inner_ending, seen = asyncio.Event(), asyncio.Event(), list[str]()
    async with ending_group() as outer:
        outer.create_task(forever(outer_ending))
        await group(inner_ending, seen)
        assert inner_ending.is_set()
        assert not outer_ending.is_set()
    assert outer_ending.is_set()
    assert seen == ["body", "after"]
