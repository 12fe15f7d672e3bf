"""Whatever a source of credentials says, a call fails with reason `credentials`, and recovers."""

import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.aws.streams import DynamoDbStreams
from consumer.adapters.clock import SystemClock
from consumer.adapters.lease_table.lease_requests import LeaseRequests
from consumer.errors import Misconfigured, Retryable, UnknownOutcome
from tests.unit.adapters.aws_environment import REGION
from tests.wire import Request, Say, Wire, http, wire


def in_hours(hours: float) -> str:
    return (datetime.now(UTC) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M:%SZ")


def found(**members: object) -> dict[str, object]:
    keys = {"AccessKeyId": "a", "SecretAccessKey": "s", "Token": "t", "Expiration": in_hours(9)}
    return {name: value for name, value in {**keys, **members}.items() if value != "absent"}


GOOD = Say(http(b'{"Records":[],"NextShardIterator":"next","Items":[]}'))

ANSWERS: dict[str, bytes] = {
    "expired": http(json.dumps(found(Expiration=in_hours(-1))).encode()),
    "an Expiration that is none": http(json.dumps(found(Expiration="soon")).encode()),
    "an Expiration that is a number": http(json.dumps(found(Expiration=5)).encode()),
    "an Expiration far away": http(json.dumps(found(Expiration="9" * 30)).encode()),
    "an Expiration without a zone": http(
        json.dumps(found(Expiration="2030-01-01T00:00:00")).encode()
    ),
    "no Expiration": http(json.dumps(found(Expiration="absent")).encode()),
    "no key": http(json.dumps(found(AccessKeyId="absent")).encode()),
    "a key that is null": http(json.dumps(found(SecretAccessKey=None)).encode()),
    "a key that is a number": http(json.dumps(found(SecretAccessKey=5)).encode()),
    "an array": http(b"[]"),
    "a text": http(b'"x"'),
    "null": http(b"null"),
    "nested deeply": http(b"[" * 100_000),
    "not UTF-8": http(b'{"Token":"\xff"}'),
    "a page that is not UTF-8": http(b"\xff", "502 Bad Gateway"),
    "a refusal": http(b"no", "403 Forbidden"),
    "a phrase in Latin-1": b"HTTP/1.1 503 Zur\xfcck\r\nContent-Length: 0\r\n\r\n",
    "a header in Latin-1": b"HTTP/1.1 200 OK\r\nX: \xfc\r\nContent-Length: 0\r\n\r\n",
    "nothing": b"",
}


@pytest.fixture
async def source(use_aws: pytest.MonkeyPatch, line: Wire) -> AsyncIterator[Wire]:
    """A server that hands out credentials; `line` is AWS."""
    use_aws.setenv("AWS_ENDPOINT_URL", line.url)
    use_aws.setenv("AWS_REGION", REGION)
    line.say(GOOD)
    async with wire() as server:
        yield server


Call = Callable[[], Awaitable[object]]


async def calls_of(aws: Aws) -> tuple[Call, ...]:
    """Return two reads and a write of AWS."""
    client = await aws.dynamodb(1)
    streams = DynamoDbStreams(await aws.streams(1), client, SystemClock())
    requests = LeaseRequests(client, "leases", "app", 5.0, None)
    return (
        lambda: streams.get_records("it"),
        lambda: requests.query_prefix("x"),
        lambda: requests.delete("x"),
    )


async def failures(calls: Sequence[Call]) -> list[tuple[type[Exception], str]]:
    """Make the calls and return how they fail."""
    failed: list[tuple[type[Exception], str]] = []
    for call in calls:
        try:
            await call()
        except Retryable as error:
            reason = "told" if "test-secret" in str(error) else error.reason
            failed.append((type(error), reason))
    return failed


ALL_FAIL = [
    (Retryable, "credentials"),
    (Retryable, "credentials"),
    (UnknownOutcome, "credentials"),
]


@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS)
async def test_a_container_without_usable_credentials(
    source: Wire, use_aws: pytest.MonkeyPatch, data: bytes
) -> None:
    use_aws.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", source.url)
    use_aws.setattr("aiobotocore.utils.AioContainerMetadataFetcher.SLEEP_TIME", 0)
    source.say(Say(data, "close"))
    async with Aws() as aws:
        calls = await calls_of(aws)
        assert await failures(calls) == ALL_FAIL
        source.say(Say(http(json.dumps(found()).encode())))
        assert await failures(calls) == []


@pytest.mark.parametrize("data", ANSWERS.values(), ids=ANSWERS)
async def test_a_refresh_that_fails(source: Wire, use_aws: pytest.MonkeyPatch, data: bytes) -> None:
    """The first credentials were good, and are about to expire."""
    use_aws.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", source.url)
    use_aws.setattr("aiobotocore.utils.AioContainerMetadataFetcher.SLEEP_TIME", 0)
    source.say(Say(http(json.dumps(found(Expiration=in_hours(0.01))).encode())))
    async with Aws() as aws:
        calls = await calls_of(aws)
        source.say(Say(data, "close"))
        assert await failures(calls) == ALL_FAIL
        source.say(Say(http(json.dumps(found()).encode())))
        assert await failures(calls) == []


async def test_a_refresh_that_hangs_is_no_timeout_of_the_call(
    source: Wire, use_aws: pytest.MonkeyPatch
) -> None:
    use_aws.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", source.url)
    source.say(Say(http(json.dumps(found(Expiration=in_hours(0.01))).encode())))
    async with Aws() as aws:
        requests = LeaseRequests(await aws.dynamodb(1), "leases", "app", 0.3, None)
        source.say(Say(b"", "hang"))
        with pytest.raises(Retryable, match="credentials") as read:
            await requests.query_prefix("x")
        with pytest.raises(UnknownOutcome, match="credentials") as write:
            await requests.delete("x")
    assert (read.value.reason, write.value.reason) == ("credentials", "credentials")


def absent(folder: Path) -> Path:
    return folder / "absent"


def holding(data: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        file = folder / "token"
        file.write_bytes(data)
        return file

    return write


@pytest.mark.parametrize(
    "token", [absent, holding(b"test-secret\nline"), holding(b"\xff\xfe"), lambda folder: folder]
)
async def test_a_container_token_that_cannot_be_used(
    source: Wire, use_aws: pytest.MonkeyPatch, tmp_path: Path, token: Callable[[Path], Path]
) -> None:
    use_aws.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", source.url)
    use_aws.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(token(tmp_path)))
    async with Aws() as aws:
        assert await failures(await calls_of(aws)) == ALL_FAIL


@pytest.mark.parametrize("token", [absent, holding(b"\xff\xfe"), lambda folder: folder])
async def test_a_web_identity_token_that_cannot_be_read(
    source: Wire, use_aws: pytest.MonkeyPatch, tmp_path: Path, token: Callable[[Path], Path]
) -> None:
    use_aws.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(token(tmp_path)))
    use_aws.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
    async with Aws() as aws:
        assert await failures(await calls_of(aws)) == ALL_FAIL


def role(text: str) -> bytes:
    result = f"<AssumeRoleWithWebIdentityResult>{text}</AssumeRoleWithWebIdentityResult>"
    return http(
        f"<AssumeRoleWithWebIdentityResponse>{result}</AssumeRoleWithWebIdentityResponse>".encode()
    )


KEYS = "<AccessKeyId>a</AccessKeyId><SecretAccessKey>s</SecretAccessKey>"
TOKEN = "<SessionToken>t</SessionToken>"  # noqa: S105


def credentials(text: str) -> bytes:
    return role(f"<Credentials>{text}</Credentials>")


@pytest.mark.parametrize(
    "data",
    [
        http(b"<a"),
        http(b"\xff\xff"),
        http(b"[]"),
        http(b"<x/>", "403 Forbidden"),
        http(b"<html>\xff", "400 Bad Request"),
        role(""),
        credentials(KEYS + TOKEN),
        credentials(KEYS + TOKEN + "<Expiration>soon</Expiration>"),
        credentials(KEYS + f"<Expiration>{in_hours(9)}</Expiration>"),
        credentials(KEYS + TOKEN + f"<Expiration>{in_hours(-1)}</Expiration>"),
    ],
    ids=range(10),
)
async def test_a_web_identity_that_is_not_exchanged(
    line: Wire, source: Wire, use_aws: pytest.MonkeyPatch, tmp_path: Path, data: bytes
) -> None:
    use_aws.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(holding(b"test-secret")(tmp_path)))
    use_aws.setenv("AWS_ROLE_ARN", "arn:aws:iam::1:role/r")
    use_aws.setenv("AWS_MAX_ATTEMPTS", "1")
    use_aws.setenv("AWS_ENDPOINT_URL_STS", source.url)
    source.say(Say(data))
    async with Aws() as aws:
        calls = await calls_of(aws)
        assert await failures(calls) == ALL_FAIL
        good = KEYS + TOKEN + f"<Expiration>{in_hours(9)}</Expiration>"
        source.say(Say(credentials(good)))
        assert await failures(calls) == []
    assert "security-token" in line.requests[-1].head + str(line.requests[-1].headers)


PROCESS = '[default]\ncredential_process = {python} -c "{code}"\n'


@pytest.mark.parametrize(
    "code",
    [
        "raise SystemExit(3)",
        "print(5)",
        "print('[]')",
        "print('no json')",
        "print('{}')",
        "import sys; sys.stdout.buffer.write(bytes([255]))",
        "import sys; sys.stderr.buffer.write(bytes([255])); sys.exit(1)",
        "import json; print(json.dumps(dict(Version=1, AccessKeyId='a')))",
        "print(dict(Version=1))",
    ],
)
async def test_a_process_that_prints_no_credentials(
    source: Wire, use_aws: pytest.MonkeyPatch, tmp_path: Path, code: str
) -> None:
    config = tmp_path / "config"
    config.write_text(PROCESS.format(python=sys.executable, code=code))
    use_aws.setenv("AWS_CONFIG_FILE", str(config))
    async with Aws() as aws:
        assert await failures(await calls_of(aws)) == ALL_FAIL


async def test_a_process_that_is_absent(
    source: Wire, use_aws: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = tmp_path / "config"
    config.write_text("[default]\ncredential_process = /nonexistent/program\n")
    use_aws.setenv("AWS_CONFIG_FILE", str(config))
    async with Aws() as aws:
        assert await failures(await calls_of(aws)) == ALL_FAIL


IMDS = {name: data for name, data in ANSWERS.items() if name not in ("nothing", "a refusal")}


@pytest.mark.parametrize("data", IMDS.values(), ids=IMDS)
async def test_an_instance_whose_refresh_fails(
    source: Wire, use_aws: pytest.MonkeyPatch, data: bytes
) -> None:
    def answer(request: Request) -> Say:
        if request.head.startswith("PUT"):
            return Say(http(b"token"))
        if "security-credentials/role" in request.head:
            return Say(now[0])
        return Say(http(b"role"))

    now = [http(json.dumps(found(Expiration=in_hours(0.01))).encode())]
    use_aws.delenv("AWS_EC2_METADATA_DISABLED")
    use_aws.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", source.url)
    source.answer = answer
    async with Aws() as aws:
        calls = await calls_of(aws)
        now[0] = data
        found_failures = await failures(calls)
    # botocore goes on for a while with credentials that have expired, if they were good before.
    assert found_failures in (ALL_FAIL, [])


async def test_a_profile_that_is_wrong_is_a_misconfiguration(
    source: Wire, use_aws: pytest.MonkeyPatch
) -> None:
    use_aws.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "/nonexistent")  # and no role
    async with Aws() as aws:
        with pytest.raises(Misconfigured):
            await aws.dynamodb(1)
