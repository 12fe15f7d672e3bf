"""Where region, credentials and endpoints come from, and one clear line when they do not."""

import asyncio
import gzip
import json
import os
import ssl
from pathlib import Path

import pytest
from aiobotocore.httpsession import AIOHTTPSession
from botocore.exceptions import HTTPClientError

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.get_records_parser import MAX_BODY_BYTES
from consumer.adapters.aws.streams import RECORDS_PER_PAGE, DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.stream.stream import Stream
from consumer.errors import Misconfigured, Retryable
from tests.unit.adapters.aws_environment import REGION, point_at
from tests.wire import Say, Wire, http, wire


async def test_the_region_of_the_environment_goes_first(use_aws: pytest.MonkeyPatch) -> None:
    use_aws.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    assert Aws("us-east-1").region == "eu-west-1"
    use_aws.setenv("AWS_REGION", "eu-north-1")
    assert Aws("us-east-1").region == "eu-north-1"


async def test_a_profile_names_a_region(use_aws: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = tmp_path / "config"
    file.write_text("[default]\nregion = ap-south-1\n")
    use_aws.setenv("AWS_CONFIG_FILE", str(file))
    assert Aws("us-east-1").region == "ap-south-1"


async def test_the_fallback_is_last_and_without_it_there_is_one_line(
    use_aws: pytest.MonkeyPatch,
) -> None:
    assert Aws("us-east-1").region == "us-east-1"
    async with Aws() as aws:
        with pytest.raises(Misconfigured, match=r"^AWS_REGION: not set") as error:
            await aws.streams(1)
    assert "\n" not in str(error.value)


async def test_missing_credentials_are_one_line(use_aws: pytest.MonkeyPatch) -> None:
    async with Aws("us-east-1") as aws:
        with pytest.raises(Misconfigured, match=r"^AWS credentials: none found") as error:
            await aws.dynamodb(1)
    assert "\n" not in str(error.value)


async def test_half_of_the_credentials_is_a_misconfiguration(use_aws: pytest.MonkeyPatch) -> None:
    use_aws.setenv("AWS_ACCESS_KEY_ID", "half")
    async with Aws("us-east-1") as aws:
        with pytest.raises(Misconfigured, match=r"^AWS credentials"):
            await aws.sqs()


async def test_all_clients_of_a_process_read_the_trusted_authorities_once(
    use_aws: pytest.MonkeyPatch,
) -> None:
    read: list[ssl.SSLContext] = []

    def context(_: AIOHTTPSession) -> ssl.SSLContext:
        read.append(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
        return read[-1]

    use_aws.setattr(AIOHTTPSession, "_build_verify_context", context)
    async with wire() as there, Aws() as aws:
        point_at(use_aws, there.url)
        there.say(Say(http(b'{"TableNames":[]}')), Say(http(b'{"Streams":[]}')))
        dynamodb, streams = await aws.dynamodb(1), await aws.streams(1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(dynamodb.list_tables())
            tasks.create_task(streams.list_streams())
    assert len(read) == 1


async def test_authorities_of_the_environment_are_judged_with_the_first_client(
    use_aws: pytest.MonkeyPatch,
) -> None:
    point_at(use_aws, "http://127.0.0.1:1")
    use_aws.setenv("AWS_CA_BUNDLE", "/authorities.pem")
    judged: list[object] = []

    def context(**given: object) -> None:
        judged.append(given)

    use_aws.setattr(ssl, "create_default_context", context)
    async with Aws() as aws:
        await aws.dynamodb(1)
        await aws.streams(1)
    assert judged == [{"cafile": "/authorities.pem"}]


async def test_an_endpoint_that_is_no_url_is_a_misconfiguration(
    use_aws: pytest.MonkeyPatch,
) -> None:
    point_at(use_aws, "not a url")
    async with Aws() as aws:
        with pytest.raises(Misconfigured, match="not a url"):
            await aws.streams(1)


@pytest.mark.parametrize(
    "url",
    [
        "http://dynamodb..example.org",
        f"http://{'a' * 64}.example.org",
        "http://256.0.0.1:8000",
        "http://127.0.0.1:0",
        "http://127.0.0.1:99999",
        "http://user:s3cret@127.0.0.1:8000",
        "ftp://127.0.0.1:8000",
    ],
)
async def test_an_endpoint_that_cannot_be_reached_is_refused_at_the_start(
    use_aws: pytest.MonkeyPatch, url: str
) -> None:
    point_at(use_aws, url)
    async with Aws() as aws:
        with pytest.raises(Misconfigured) as error:
            await aws.dynamodb(1)
    assert "\n" not in str(error.value)
    assert "s3cret" not in str(error.value)


async def test_each_service_has_an_endpoint_of_its_own(
    line: Wire, use_aws: pytest.MonkeyPatch
) -> None:
    point_at(use_aws, "http://127.0.0.1:9")
    use_aws.setenv("AWS_ENDPOINT_URL_DYNAMODB_STREAMS", line.url)
    line.say(Say(http(b'{"Records":[]}')))
    async with Aws() as aws:
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        await port.get_records("it")
        with pytest.raises(Retryable):
            await port.latest_stream("orders")
    (request,) = line.requests
    assert f"/{REGION}/dynamodb/aws4_request" in request.headers["authorization"]
    assert "dynamodb-nakadi-consumer/" in request.headers["user-agent"]


async def test_a_request_is_never_repeated_by_the_sdk(
    line: Wire, use_aws: pytest.MonkeyPatch
) -> None:
    point_at(use_aws, line.url)
    error = {"__type": "x#ProvisionedThroughputExceededException", "message": "slow down"}
    line.say(Say(http(json.dumps(error).encode(), "400 Bad")))
    async with Aws() as aws:
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        with pytest.raises(Retryable):
            await port.latest_stream("orders")
        arn = "arn:aws:dynamodb:eu-central-1:1:table/orders/stream/l"
        with pytest.raises(Retryable):
            await port.describe_stream(Stream.from_arn(arn), None)
    assert len(line.requests) == 2


def endless() -> bytes:
    """An answer whose end never comes: one chunk of many, with more bytes than are read."""
    chunk = os.urandom(200_000)
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    return head + b"%x\r\n%b\r\n" % (len(chunk), chunk)


@pytest.mark.parametrize("status", ["200 OK", "400 Bad", "500 Broken"])
async def test_an_answer_without_end_is_read_up_to_a_limit(
    line: Wire, use_aws: pytest.MonkeyPatch, status: str
) -> None:
    point_at(use_aws, line.url)
    use_aws.setattr("consumer.adapters.aws.http_session.MAX_BODY_BYTES", 100_000)
    line.say(Say(endless().replace(b"200 OK", status.encode()), "hang"))
    stream = Stream.from_arn("arn:aws:dynamodb:eu-central-1:1:table/orders/stream/l")
    async with Aws() as aws, asyncio.timeout(10):
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        for call in (
            port.get_records("it"),
            port.describe_stream(stream, None),
            port.latest_stream("orders"),
        ):
            with pytest.raises(Retryable, match="longer than 100000 bytes") as failed:
                await call
            assert failed.value.reason == "malformed_answer"
        with pytest.raises(HTTPClientError, match="longer than 100000 bytes"):
            await (await aws.sqs()).receive_message(QueueUrl=f"{line.url}/1/letters")
    assert line.connections == 4  # a connection that was not read to its end is not used again


async def test_a_page_that_unpacks_to_more_than_the_limit_is_no_page(
    line: Wire, use_aws: pytest.MonkeyPatch
) -> None:
    point_at(use_aws, line.url)
    use_aws.setattr("consumer.adapters.aws.get_records_parser.MAX_BODY_BYTES", 100_000)
    packed = gzip.compress(b'{"Records":[]' + b" " * 200_000 + b"}")
    line.say(Say(http(packed, "200 OK", "Content-Encoding: gzip")))
    async with Aws() as aws:
        port = DynamoDbStreams(await aws.streams(1), await aws.dynamodb(1), SystemClock())
        with pytest.raises(Retryable, match="longer than"):
            await port.get_records("it")


def test_the_longest_page_that_there_can_be_is_within_the_limit() -> None:
    """1 MB of items, nothing but lists of BOOL in both images, in as many records as a page has."""
    item_bytes, as_json = 1 + 1, len('{"BOOL":false},')
    envelopes = RECORDS_PER_PAGE * 1_000
    assert 1024 * 1024 * as_json // item_bytes + envelopes < MAX_BODY_BYTES
