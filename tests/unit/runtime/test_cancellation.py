"""A cancellation while a group ends by itself is not lost."""

import asyncio

import pytest

from consumer.runtime.cancellation import heed_cancellation


class _EndError(Exception):
    pass


async def _lingering(began: asyncio.Event) -> None:
    try:
        await asyncio.Event().wait()
    finally:
        began.set()
        await asyncio.sleep(0.01)


async def _group(ending: asyncio.Event, outlived: list[str]) -> None:
    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_lingering(ending))
            await asyncio.sleep(0)
            raise _EndError
    except* _EndError:
        heed_cancellation()
    outlived.append("went on")


async def test_a_cancellation_while_the_group_ends_is_raised() -> None:
    ending, outlived = asyncio.Event(), list[str]()
    task = asyncio.get_running_loop().create_task(_group(ending, outlived))
    await ending.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert outlived == []


async def test_a_group_that_only_ends_goes_on() -> None:
    outlived: list[str] = []
    await _group(asyncio.Event(), outlived)
    assert outlived == ["went on"]
