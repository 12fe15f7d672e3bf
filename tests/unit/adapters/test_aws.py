"""Where region, credentials and endpoints come from, and one clear line when they do not."""

import json
from pathlib import Path

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.core.stream.stream import Stream
from consumer.errors import Misconfigured, Retryable
from tests.unit.adapters.aws_environment import REGION, point_at
from tests.wire import Say, Wire, http


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


async def test_an_endpoint_that_is_no_url_is_a_misconfiguration(
    use_aws: pytest.MonkeyPatch,
) -> None:
    point_at(use_aws, "not a url")
    async with Aws() as aws:
        with pytest.raises(Misconfigured, match="not a url"):
            await aws.streams(1)


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
