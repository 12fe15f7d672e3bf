"""What is asked of DynamoDB and of S3 for an export, and what their answers mean."""

import json
from collections.abc import AsyncIterator
from random import Random

import pytest

from consumer.adapters.aws.aws import Aws
from consumer.adapters.clock import SystemClock
from consumer.adapters.exports.bucket import PIECE_BYTES, TRIES, Bucket
from consumer.adapters.exports.table_exports import TableExports
from consumer.core.repair.export import Destination, ExportState, ExportStatus, ExportTask
from consumer.core.repair.window import Restorable, Window
from consumer.errors import Misconfigured, Retryable
from tests.unit.adapters.aws_environment import point_at
from tests.wire import Request, Say, Wire, http

TABLE = "arn:aws:dynamodb:eu-central-1:1:table/orders"
ARN = f"{TABLE}/export/01695097218000-d6299cbd"
WINDOW = Window(1793520000, 1793523600)
TASK = ExportTask(WINDOW, Destination("backups", "123456789012", "p", "key"), "token", 0.0)
DESCRIBED = {
    "ExportArn": ARN,
    "ExportStatus": "COMPLETED",
    "StartTime": 1793524000,
    "EndTime": 1793524900,
    "ExportManifest": "p/AWSDynamoDB/01695097218000-d6299cbd/manifest-summary.json",
    "TableArn": TABLE,
    "ClientToken": "token",
    "S3Bucket": "backups",
    "S3BucketOwner": "123456789012",
    "S3Prefix": "p",
    "S3SseAlgorithm": "KMS",
    "S3SseKmsKeyId": "key",
    "ExportFormat": "DYNAMODB_JSON",
    "ExportType": "INCREMENTAL_EXPORT",
    "IncrementalExportSpecification": {
        "ExportFromTime": 1793520000,
        "ExportToTime": 1793523600,
        "ExportViewType": "NEW_AND_OLD_IMAGES",
    },
}
STATE = ExportState(
    ARN,
    ExportStatus.COMPLETED,
    TASK.destination,
    True,
    "p/AWSDynamoDB/01695097218000-d6299cbd/manifest-summary.json",
    WINDOW,
    "token",
)


@pytest.fixture
async def exports(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[TableExports]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield TableExports(await aws.dynamodb(2), "orders", TABLE)


def answer(**members: object) -> Say:
    return Say(http(json.dumps(members).encode()))


def refusal(code: str, status: str = "400 Bad Request") -> Say:
    body = {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": "no"}
    return Say(http(json.dumps(body).encode(), status))


async def test_an_export_is_asked_for_with_token_window_and_destination(
    line: Wire, exports: TableExports
) -> None:
    line.say(answer(ExportDescription=DESCRIBED | {"ExportStatus": "IN_PROGRESS"}))
    state = await exports.start(TASK)
    assert (state.arn, state.status) == (ARN, ExportStatus.IN_PROGRESS)
    assert json.loads(line.requests[0].body) == {
        "TableArn": TABLE,
        "ClientToken": "token",
        "S3Bucket": "backups",
        "S3BucketOwner": "123456789012",
        "S3Prefix": "p",
        "S3SseAlgorithm": "KMS",
        "S3SseKmsKeyId": "key",
        "ExportFormat": "DYNAMODB_JSON",
        "ExportType": "INCREMENTAL_EXPORT",
        "IncrementalExportSpecification": {
            "ExportFromTime": 1793520000,
            "ExportToTime": 1793523600,
            "ExportViewType": "NEW_AND_OLD_IMAGES",
        },
    }


async def test_what_is_not_given_is_not_sent(line: Wire, exports: TableExports) -> None:
    line.say(answer(ExportDescription=DESCRIBED))
    await exports.start(ExportTask(WINDOW, Destination("backups"), "token", 0.0))
    sent = json.loads(line.requests[0].body)
    assert [name for name in sent if name.startswith("S3")] == ["S3Bucket"]


async def test_an_export_as_described(line: Wire, exports: TableExports) -> None:
    line.say(answer(ExportDescription=DESCRIBED))
    assert await exports.describe(ARN) == STATE
    failed = {"ExportStatus": "FAILED", "FailureCode": "S3NoSuchBucket", "FailureMessage": "gone"}
    line.say(answer(ExportDescription=DESCRIBED | failed))
    assert (await exports.describe(ARN)).failure == "S3NoSuchBucket: gone"


async def test_all_incremental_exports_page_by_page(line: Wire, exports: TableExports) -> None:
    full = {"ExportArn": "full", "ExportStatus": "COMPLETED", "ExportType": "FULL_EXPORT"}
    listed = {"ExportArn": ARN, "ExportStatus": "COMPLETED", "ExportType": "INCREMENTAL_EXPORT"}
    line.say(
        answer(ExportSummaries=[full], NextToken="more"),
        answer(ExportSummaries=[listed]),
        answer(ExportDescription=DESCRIBED),
    )
    assert list(await exports.incremental()) == [STATE]
    assert json.loads(line.requests[1].body) == {"TableArn": TABLE, "NextToken": "more"}
    assert len(line.requests) == 3


async def test_what_can_be_restored(line: Wire, exports: TableExports) -> None:
    def backups(**recovery: object) -> Say:
        return answer(
            ContinuousBackupsDescription={
                "ContinuousBackupsStatus": "ENABLED",
                "PointInTimeRecoveryDescription": recovery,
            }
        )

    times = {"EarliestRestorableDateTime": 1793520000.5, "LatestRestorableDateTime": 1793523600}
    line.say(backups(PointInTimeRecoveryStatus="ENABLED", **times))
    assert await exports.restorable() == Restorable(1793520000.5, 1793523600.0)
    line.say(backups(PointInTimeRecoveryStatus="DISABLED"))
    assert await exports.restorable() is None


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("PointInTimeRecoveryUnavailableException", "point-in-time recovery is off"),
        ("ExportConflictException", "ExportConflictException"),
        ("InvalidExportTimeException", "InvalidExportTimeException"),
        ("ValidationException", "ValidationException"),
        ("AccessDeniedException", "AccessDeniedException"),
    ],
)
async def test_a_request_that_is_refused_for_good(
    line: Wire, exports: TableExports, code: str, told: str
) -> None:
    line.say(refusal(code))
    with pytest.raises(Misconfigured, match=told):
        await exports.start(TASK)


@pytest.mark.parametrize(
    "say",
    [
        refusal("LimitExceededException"),
        refusal("InternalServerError", "500 Oops"),
        Say(b"", "close"),
        Say(http(b"{}")),
        answer(ExportDescription={"ExportArn": ARN}),
        answer(ExportDescription=DESCRIBED | {"ExportStatus": "ODD"}),
    ],
)
async def test_whatever_else_is_asked_again(line: Wire, exports: TableExports, say: Say) -> None:
    line.say(say)
    with pytest.raises(Retryable):
        await exports.start(TASK)


@pytest.fixture
async def bucket(line: Wire, use_aws: pytest.MonkeyPatch) -> AsyncIterator[Bucket]:
    point_at(use_aws, line.url)
    async with Aws() as aws:
        yield Bucket(await aws.s3(), "backups", "123456789012", NoPauses(), Random(1))


class NoPauses(SystemClock):
    async def sleep(self, seconds: float) -> None:
        del seconds


def piece(body: bytes, place: int, total: int, etag: str = '"e"') -> Say:
    told = f"Content-Range: bytes {place}-{place + len(body) - 1}/{total}"
    return Say(http(body, "206 Partial Content", told, f"ETag: {etag}"))


def s3_error(code: str, status: str) -> Say:
    body = f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()
    return Say(http(body, status))


async def test_an_object_is_read_piece_by_piece_while_it_is_the_same(
    line: Wire, bucket: Bucket
) -> None:
    line.say(piece(b"abc", 0, 5), piece(b"de", 3, 5))
    assert [each async for each in bucket.pieces("p/file")] == [b"abc", b"de"]
    first, second = line.requests
    assert first.head.startswith("GET /backups/p/file HTTP")
    assert first.headers["range"] == f"bytes=0-{PIECE_BYTES - 1}"
    assert "if-match" not in first.headers
    assert second.headers["range"] == f"bytes=3-{3 + PIECE_BYTES - 1}"
    assert second.headers["if-match"] == '"e"'
    owners = {each.headers["x-amz-expected-bucket-owner"] for each in line.requests}
    assert owners == {"123456789012"}


async def test_an_empty_object_has_no_pieces(line: Wire, bucket: Bucket) -> None:
    line.say(s3_error("InvalidRange", "416 Range Not Satisfiable"))
    assert [each async for each in bucket.pieces("file")] == []


async def test_a_piece_that_fails_is_asked_for_again(line: Wire, bucket: Bucket) -> None:
    line.say(
        piece(b"abc", 0, 5),
        Say(b"", "close"),
        s3_error("SlowDown", "503 Slow Down"),
        Say(
            http(b"d", "206 Partial Content", "Content-Range: bytes 3-4/5", 'ETag: "e"', length=2),
            "close",
        ),
        piece(b"de", 3, 5),
    )
    assert await bucket.read("file", 5) == b"abcde"


async def test_but_not_for_ever(line: Wire, bucket: Bucket) -> None:
    line.say(s3_error("InternalError", "500 Oops"))
    with pytest.raises(Retryable):
        await bucket.read("file", 5)
    assert len(line.requests) == TRIES


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("NoSuchKey", "404 Not Found"),
        ("NoSuchBucket", "404 Not Found"),
        ("AccessDenied", "403 Forbidden"),  # also of a bucket of another account
        ("PreconditionFailed", "412 Precondition Failed"),
        ("InvalidObjectState", "403 Forbidden"),
    ],
)
async def test_an_object_that_cannot_be_had_is_one_line(
    line: Wire, bucket: Bucket, code: str, status: str
) -> None:
    line.say(s3_error(code, status))
    with pytest.raises(Misconfigured, match=f"s3://backups/p/file: {code}"):
        await bucket.read("p/file", 5)
    assert len(line.requests) == 1


async def test_an_object_that_is_too_long_is_refused(line: Wire, bucket: Bucket) -> None:
    line.say(piece(b"abcdef", 0, 6))
    with pytest.raises(Misconfigured, match="longer than 5 bytes"):
        await bucket.read("file", 5)


async def test_an_answer_without_a_range_is_the_whole_object(line: Wire, bucket: Bucket) -> None:
    def whole(request: Request) -> Say:
        assert request.headers["range"]
        return Say(http(b"abc", "200 OK", 'ETag: "e"'))

    line.answer = whole
    assert await bucket.read("file", 5) == b"abc"
