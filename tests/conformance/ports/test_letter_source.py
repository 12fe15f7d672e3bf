"""What every DeadLetterSource does: SQS, and the twin of redrive's unit tests."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from consumer.core.dead_letters.redrive import QueueDepth, Receipt
from consumer.errors import Misconfigured, Retryable
from consumer.ports import DeadLetterSource
from tests.conformance.ports.letter_sources import LetterSource, letter_source, receive_all

LONG = 600.0
UNKNOWN = Receipt("no-such-message", "no-such-handle")


@pytest.fixture(params=["twin", "ministack"])
async def source(
    request: pytest.FixtureRequest, use_aws: pytest.MonkeyPatch
) -> AsyncIterator[LetterSource]:
    async with letter_source(request, use_aws) as found:
        yield found


async def test_the_depth_counts_what_is_visible_and_what_is_hidden(source: LetterSource) -> None:
    assert await source.port.depth() == QueueDepth(0, 0)
    await source.put("a", "b", "c")
    assert await source.port.depth() == QueueDepth(3, 0)
    assert len(await source.port.receive(2, LONG)) == 2
    assert await source.port.depth() == QueueDepth(1, 2)


async def test_without_a_queue_the_depth_is_misconfigured(source: LetterSource) -> None:
    with pytest.raises(Misconfigured):
        await source.absent().depth()


async def test_a_message_is_as_it_was_sent(source: LetterSource) -> None:
    before = source.wall()
    await source.put('{"a": "ä"}')
    (message,) = await source.port.receive(10, LONG)
    assert message.body == '{"a": "ä"}'.encode()
    assert message.receptions == 1
    assert before - 2 <= message.sent_at <= source.wall() + 2


async def test_no_more_messages_than_asked_for_and_each_once(source: LetterSource) -> None:
    await source.put(*map(str, range(14)))
    sizes = [len(await source.port.receive(count, LONG)) for count in (1, 3)]
    assert sizes == [1, 3]
    rest = await receive_all(source, LONG)
    assert len(rest) == 10
    assert len({message.receipt.message_id for message in rest}) == 10
    assert await source.port.depth() == QueueDepth(0, 14)
    assert list(await source.port.receive(10, LONG)) == []


async def test_no_message_is_an_answer_after_a_wait(source: LetterSource) -> None:
    started = asyncio.get_running_loop().time()
    assert list(await source.port.receive(10, LONG)) == []
    assert asyncio.get_running_loop().time() - started > 0.5


async def test_a_hidden_message_comes_back_in_time_as_another_reception(
    source: LetterSource,
) -> None:
    await source.put("a")
    (first,) = await source.port.receive(10, 1.0)
    await source.pass_time(1.5)
    (again,) = await source.port.receive(10, LONG)
    assert (again.body, again.sent_at) == (first.body, first.sent_at)
    assert again.receptions == 2
    assert again.receipt.message_id == first.receipt.message_id
    assert again.receipt.handle != first.receipt.handle


async def test_what_is_deleted_is_gone_and_of_each_it_is_told(source: LetterSource) -> None:
    await source.put("a", "b", "c")
    first, second, _ = await receive_all(source, LONG)
    gone = await source.port.delete([first.receipt, UNKNOWN, second.receipt])
    assert list(gone) == [True, False, True]
    assert await source.port.depth() == QueueDepth(0, 1)


async def test_ten_are_deleted_in_one_call(source: LetterSource) -> None:
    await source.put(*map(str, range(10)))
    receipts = [message.receipt for message in await receive_all(source, LONG)]
    assert list(await source.port.delete(receipts)) == [True] * 10
    assert await source.port.depth() == QueueDepth(0, 0)


async def test_what_is_hidden_for_no_time_can_be_received_at_once(source: LetterSource) -> None:
    await source.put("a", "b")
    first, second = await receive_all(source, LONG)
    assert list(await source.port.hide([first.receipt, UNKNOWN], 0)) == [True, False]
    assert await source.port.depth() == QueueDepth(1, 1)
    (again,) = await receive_all(source, LONG)
    assert again.receipt.message_id == first.receipt.message_id
    assert list(await source.port.hide([again.receipt, second.receipt], 0)) == [True, True]
    assert await source.port.depth() == QueueDepth(2, 0)


async def test_what_is_hidden_again_stays_hidden_from_now_on(source: LetterSource) -> None:
    await source.put("a")
    (message,) = await source.port.receive(10, 2.0)
    assert list(await source.port.hide([message.receipt], LONG)) == [True]
    await source.pass_time(2.5)
    assert await source.port.depth() == QueueDepth(0, 1)
    assert list(await source.port.delete([message.receipt])) == [True]


async def test_the_receipt_of_an_earlier_reception_hides_and_deletes_nothing(
    source: LetterSource,
) -> None:
    await source.put("a")
    (first,) = await source.port.receive(10, 1.0)
    await source.pass_time(1.5)
    (again,) = await source.port.receive(10, LONG)
    await source.port.hide([first.receipt], 0)
    await source.port.delete([first.receipt])
    assert await source.port.depth() == QueueDepth(0, 1)
    assert list(await source.port.delete([again.receipt])) == [True]


async def test_no_receipts_are_none_done(source: LetterSource) -> None:
    assert list(await source.port.delete([])) == []
    assert list(await source.port.hide([], 1.0)) == []


Call = Callable[[DeadLetterSource, Receipt], Awaitable[object]]
CALLS: dict[str, Call] = {
    "depth": lambda port, _: port.depth(),
    "receive": lambda port, _: port.receive(10, LONG),
    "delete": lambda port, receipt: port.delete([receipt]),
    "hide": lambda port, receipt: port.hide([receipt], 0),
}


@pytest.mark.parametrize("call", CALLS)
async def test_a_call_that_does_not_arrive_is_retryable(source: LetterSource, call: str) -> None:
    await source.put("a", "b")
    (message,) = await source.port.receive(1, LONG)
    source.unreachable()
    with pytest.raises(Retryable):
        await CALLS[call](source.port, message.receipt)
    source.well()
    assert await source.port.depth() == QueueDepth(1, 1)


@pytest.mark.parametrize(
    ("call", "depth"),
    [
        ("receive", QueueDepth(0, 2)),
        ("delete", QueueDepth(1, 0)),
        ("hide", QueueDepth(2, 0)),
    ],
)
async def test_a_lost_answer_is_retryable_though_it_was_done(
    source: LetterSource, call: str, depth: QueueDepth
) -> None:
    await source.put("a", "b")
    (message,) = await source.port.receive(1, LONG)
    source.loses_answers()
    with pytest.raises(Retryable):
        await CALLS[call](source.port, message.receipt)
    source.well()
    assert await source.port.depth() == depth
