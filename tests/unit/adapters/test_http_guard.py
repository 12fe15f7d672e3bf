"""An answer that is sent twice, on each way to AWS: it is never that to the next request."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from botocore.exceptions import EndpointConnectionError

from consumer.adapters.aws.answer_ids import MOST_IDS, AnswerIds
from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.aws_errors import describe, reason_of
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.errors import Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Request, Say, Wire, http

UNASKED = "UnaskedAnswer: the other end has spoken without being asked, so nothing was sent to it"
ANOTHER = "AnswerToAnother: the answer is that to another request, so this one has none"


Call = Callable[[], Awaitable[object]]
SERVICES = ("streams", "dynamodb", "sqs", "secrets", "s3")


@pytest.fixture
async def calls(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Call]]:
    """One client a service, each with one connection: an odd answer meets the next request."""
    point_at(use_aws, line.url)
    use_aws.setattr("consumer.adapters.aws.aws.QUEUE_CONNECTIONS", 1)
    use_aws.setattr("consumer.adapters.aws.aws.FILE_CONNECTIONS", 1)
    async with Aws() as aws:
        streams, dynamodb, sqs = await aws.streams(1), await aws.dynamodb(1), await aws.sqs()
        secrets, s3 = await aws.secrets(None), await aws.s3()

        async def file() -> object:
            return await (await s3.get_object(Bucket="b", Key="k"))["Body"].raw_stream.read()

        yield {
            "streams": streams.list_streams,
            "dynamodb": dynamodb.list_tables,
            "sqs": lambda: sqs.receive_message(QueueUrl=f"{line.url}/1/letters"),
            "secrets": lambda: secrets.get_secret_value(SecretId="s"),
            "s3": file,
        }


async def arrive() -> None:
    for _ in range(5):
        await asyncio.sleep(0)  # both ends are in this process


def answer(number: int, body: bytes = b"{}") -> bytes:
    return http(body, "200 OK", f"x-amzn-RequestId: id-{number}")


@pytest.mark.parametrize("service", SERVICES)
async def test_what_comes_unasked_is_no_answer(
    line: Wire, calls: dict[str, Call], service: str
) -> None:
    line.say(Say(http(b"{}")))
    await calls[service]()
    line.interrupt(http(b"{}"))
    await arrive()
    with pytest.raises(EndpointConnectionError) as failed:
        await calls[service]()
    assert (describe(failed.value), reason_of(failed.value)) == (UNASKED, "reset")
    assert len(line.requests) == 1, "nothing was sent on that connection"
    await calls[service]()
    assert (len(line.requests), line.connections) == (2, 2)


@pytest.mark.parametrize("service", SERVICES)
async def test_an_answer_that_comes_again_while_the_next_is_awaited_is_none(
    line: Wire, calls: dict[str, Call], service: str
) -> None:
    line.say(Say(answer(1)), Say(answer(1)), Say(answer(2)))
    await calls[service]()
    with pytest.raises(EndpointConnectionError) as failed:
        await calls[service]()
    assert (describe(failed.value), reason_of(failed.value)) == (ANOTHER, "reset")
    await calls[service]()
    assert (len(line.requests), line.connections) == (3, 2)


async def test_a_page_of_one_shard_is_never_that_of_another(
    line: Wire, use_aws: pytest.MonkeyPatch
) -> None:
    """A proxy says every third answer twice, at once or while the next request is under way."""
    said: list[bytes] = []
    late: list[bytes] = []

    def speak(request: Request) -> Say:
        if late:
            return Say(late.pop(), "close")
        shard = json.loads(request.body)["ShardIterator"]
        page = json.dumps({"Records": [], "NextShardIterator": shard}).encode()
        said.append(answer(len(said), page))
        if len(said) % 3 == 0:
            late.append(said[-1])
        return Say(said[-1] * (1 + (len(said) % 3 == 1)))

    line.answer = speak
    point_at(use_aws, line.url)
    async with Aws() as aws:
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        failed = 0
        for number in range(60):
            try:
                page = await port.get_records(f"shard-{number}")
            except Retryable:
                failed += 1
            else:
                assert page.next_iterator == f"shard-{number}"
    assert failed > 10


async def test_a_server_that_says_one_id_for_all_is_believed(
    line: Wire, calls: dict[str, Call]
) -> None:
    line.say(Say(answer(1)))
    failed = 0
    for _ in range(10):
        try:
            await calls["dynamodb"]()
        except EndpointConnectionError:
            failed += 1
    assert failed == 1


class Connection:
    pass


@pytest.mark.parametrize("name", ["x-amzn-RequestId", "x-amz-request-id"])
def test_an_id_comes_once_on_a_connection(name: str) -> None:
    ids, one, other = AnswerIds(), Connection(), Connection()
    assert not ids.came_before({name: "a"}, one)
    assert not ids.came_before({name: "b"}, one)
    assert ids.came_before({name: "a"}, one)
    assert ids.came_before({name: "b"}, one)
    assert not ids.came_before({name: "a"}, other)
    assert not ids.came_before({name: "a"}, other)
    assert ids.came_before({name: "b"}, one)
    assert not ids.came_before({}, one)
    assert not ids.came_before({}, one)


def test_an_id_of_a_connection_that_has_gone_is_no_id() -> None:
    ids = AnswerIds()
    assert not ids.came_before({"x-amzn-RequestId": "a"}, Connection())
    one = Connection()
    assert not ids.came_before({"x-amzn-RequestId": "a"}, one)
    assert not ids.came_before({"x-amzn-RequestId": "a"}, one)


def test_ids_are_remembered_within_a_limit() -> None:
    ids, one = AnswerIds(), Connection()
    for number in range(MOST_IDS + 1):
        assert not ids.came_before({"x-amzn-RequestId": str(number)}, one)
    assert not ids.came_before({"x-amzn-RequestId": "0"}, one)
    assert ids.came_before({"x-amzn-RequestId": str(MOST_IDS)}, one)
